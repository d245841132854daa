import { IS_MEASURABLE } from '../support/processes.mjs';
import { percentile } from '../support/statistics.mjs';

const SEND_LIMIT_MS = 25;
/** Beside the gap: a job that is due is found within 0.5 s, and the answer is read, stored and seen within 0.1 s. */
const ALLOWANCE_MS = 600;
const HISTORY_LIMIT = 70;
/** Nearly none: one may be asked for when a look at the history has failed. */
const DETAILS_LIMIT = 5;
const HISTORY = 'GET /v3/orders';
const DETAILS = 'GET /v3/orders/{id}';

/** Prints the result. @returns whether every target was met. */
export function report({ toPurchase, toInventory, whileWaiting }, isJson) {
  const result = {
    toPurchase: summary(toPurchase),
    toInventory: {
      ...summary(toInventory.map(({ delayMs }) => delayMs)),
      worstShareOfGap: Math.max(...toInventory.map(({ delayMs, gapMs }) => delayMs / gapMs)),
      orders: toInventory,
    },
    whileWaiting,
  };
  const missed = missedTargets(result);
  if (isJson) console.log(JSON.stringify({ node: process.versions.node, ...result, missed }, null, 2));
  else print(result, missed);
  return missed.length === 0;
}

/** `missing`: orders whose end never came; a figure that is NaN for that reason meets no target. */
function summary(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return {
    count: values.length,
    missing: values.length - sorted.length,
    medianMs: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? NaN,
  };
}

function missedTargets({ toPurchase, toInventory, whileWaiting }) {
  const { changed, perMinute } = whileWaiting;
  const late = toInventory.orders.filter(({ delayMs, gapMs }) => !(delayMs <= gapMs + ALLOWANCE_MS));
  const [history, details] = [HISTORY, DETAILS].map((route) => perMinute[route] ?? 0);
  // Written so that what is no number is missed.
  const isMet = {
    [`202 to purchase: median ${toPurchase.medianMs} ms`]: toPurchase.medianMs < SEND_LIMIT_MS,
    [`202 to purchase: ${toPurchase.missing} never came`]: toPurchase.missing === 0,
    [`code to inventory: ${late.map(({ delayMs, gapMs }) => `${delayMs} of ${gapMs} ms`).join(', ')}`]:
      late.length === 0,
    [`${history} questions for the history per minute`]: history > 0 && history <= HISTORY_LIMIT,
    [`${details} questions for details per minute`]: details <= DETAILS_LIMIT,
    [`${changed.shown} of ${changed.count} fulfilled ones were seen`]: changed.shown === changed.count,
    [`${changed.detailsOfOthers} questions for orders that had not changed`]: changed.detailsOfOthers <= DETAILS_LIMIT,
  };
  return Object.entries(isMet).flatMap(([what, met]) => (met ? [] : [what]));
}

function print({ toPurchase, toInventory, whileWaiting }, missed) {
  const line = (name, { count, medianMs, p99Ms, maxMs }, more = '') =>
    console.log(
      `${name.padEnd(34)}${count} orders: median ${medianMs} ms, p99 ${p99Ms} ms, longest ${maxMs} ms${more}`,
    );
  line('202 to purchase at CodesWholesale', toPurchase);
  const share = Math.round(toInventory.worstShareOfGap * 100);
  line('code there to inventory shows it', toInventory, `, at most ${share} % of the gap in force`);
  const { count, seconds, perMinute, processorShare, changed } = whileWaiting;
  console.log(`while ${count} purchases wait (${seconds} s)`);
  for (const [route, requests] of Object.entries(perMinute)) {
    console.log(`  ${route.padEnd(32)}${requests} per minute`);
  }
  const processor = IS_MEASURABLE ? `${Math.round(processorShare * 100)} % of a core` : 'not measured here';
  console.log(`  ${'processor time of the program'.padEnd(32)}${processor}`);
  console.log(
    `  ${changed.shown} of ${changed.count} that were fulfilled completed within ${changed.longestMs} ms; details asked for: ` +
      `${changed.detailsOfChanged} of them, ${changed.detailsOfOthers} of others`,
  );
  console.log(missed.length === 0 ? 'all targets met' : `MISSED: ${missed.join('; ')}`);
}
