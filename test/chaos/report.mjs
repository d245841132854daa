import { lostAnswers, sentAgain } from './check/run.mjs';

const SHOWN_VIOLATIONS = 50;

/** A run in numbers. */
export function summarize({ seed, evidence, unserved, disturber, violations, seconds }) {
  const { orders, purchases, ledger, ownExitCodes, disturbances } = evidence;
  return {
    seed,
    seconds,
    customers: evidence.notes.length + unserved.length,
    withoutReservation: unserved.length,
    orders: countBy(orders, ({ state }) => state),
    reasons: countBy(
      orders.filter(({ attentionReason }) => attentionReason !== null),
      ({ attentionReason }) => attentionReason.replaceAll(/KF-\S+|\d+/g, '…'),
    ),
    purchases: countBy(purchases, ({ state }) => state),
    sentAgain: sentAgain(evidence),
    lostAnswers: lostAnswers(evidence),
    supplierOrders: countBy(ledger.orders, ({ status }) => status),
    spentCents: ledger.spentCents,
    ...disturbances,
    endedByThemselves: ownExitCodes.length,
    faults: disturber.faults,
    faultsUnmet: disturber.unmetFaults,
    violations,
  };
}

/** Prints it for people or as JSON: standard output is the result of the command, progress goes to standard error. */
export function printReport(summary, { isJson, directory }) {
  const { violations, ...numbers } = summary;
  if (isJson) {
    console.log(JSON.stringify({ ...summary, logs: directory }, null, 2));
  } else {
    for (const [name, value] of Object.entries(numbers)) console.log(`${name.padEnd(20)}${textOf(value)}`);
    for (const { rule, subject, message } of violations.slice(0, SHOWN_VIOLATIONS)) {
      console.log(`BROKEN  ${rule}  ${subject}  ${message}`);
    }
    const verdict = violations.length === 0 ? 'every promise was kept' : `${violations.length} promises were broken`;
    console.log(`${verdict}; the run took ${summary.seconds} seconds`);
  }
  if (directory !== null) console.error(`logs, evidence and audit trail: ${directory}`);
}

function textOf(value) {
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function countBy(rows, nameOf) {
  const counts = {};
  for (const row of rows) counts[nameOf(row)] = (counts[nameOf(row)] ?? 0) + 1;
  return counts;
}
