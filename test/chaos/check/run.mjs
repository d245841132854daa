import { violation } from './books.mjs';

/** More orders than this share in needs_attention, and the program hands its work to people instead of doing it. */
const MAX_ATTENTION_SHARE = 0.25;
/** Fewer customers than this share served, and the run shows little: a program that sells nothing breaks no promise. */
const MIN_SERVED_SHARE = 0.9;
/** From so many customers on the plan has everything in it at least once. */
const WHOLE_RUN = 300;
/**
 * Alerts that nothing in a run can justify: no back-up is restored, CWS's look-ups find all there is in time, nobody gives a purchase
 * up, and CWS makes one order of each request.
 */
const FALSE_ALARMS = [
  'supplier_orders_unmatched',
  'purchase_lookup_missed',
  'purchase_duplicated',
  'code_sold_twice',
  'spare_keys',
  'balance_too_low',
];

export function* peopleAreCalledForAReason({ orders, alerts }) {
  const waiting = orders.filter(({ state }) => state === 'needs_attention').map(({ id }) => id);
  const open = alerts.filter(({ isOpen }) => isOpen);
  const called = open.filter(({ kind }) => kind === 'order_needs_attention').map(({ subject }) => subject);
  for (const id of waiting)
    if (!called.includes(id)) yield violation('alert', id, 'waits for a person whom nobody called');
  for (const id of called) if (!waiting.includes(id)) yield violation('alert', id, 'a person is called for nothing');
  for (const { kind, subject } of alerts) {
    if (FALSE_ALARMS.includes(kind)) yield violation('alert', subject || kind, `false alarm: ${kind}`);
  }
  if (waiting.length > orders.length * MAX_ATTENTION_SHARE) {
    yield violation('alert', 'run', `${waiting.length} of ${orders.length} orders wait for a person`);
  }
}

export function* replicasEndForAReason({ ownExitCodes }) {
  const silent = ownExitCodes.filter((code) => code === 0).length;
  if (silent > 0) yield violation('exit', 'run', `replicas that ended unasked with exit code 0: ${silent}`);
}

/** A run in which nothing broke shows nothing. */
export function* theRunDidExerciseSomething(evidence) {
  const { customers, notes, disturbances } = evidence;
  if (notes.length < customers * MIN_SERVED_SHARE) {
    yield violation('run', 'run', `only ${notes.length} of ${customers} customers could order`);
  }
  if (customers < WHOLE_RUN) return;
  const counts = {
    'process was killed': disturbances.kills,
    'database server was restarted': disturbances.databaseRestarts,
    'answer to a purchase was lost': lostAnswers(evidence),
    'purchase was sent again': sentAgain(evidence),
  };
  for (const [what, count] of Object.entries(counts)) if (!(count >= 1)) yield violation('run', 'run', `no ${what}`);
}

/** Orders that CWS made and said nothing good about: it reset the connection, kept silent or answered 5xx. */
export function lostAnswers({ ledger, posts }) {
  const answered = new Map();
  for (const { reference, status } of posts) {
    if (status === 200) answered.set(reference, (answered.get(reference) ?? 0) + 1);
  }
  const made = new Map();
  for (const { clientOrderId } of ledger.orders) made.set(clientOrderId, (made.get(clientOrderId) ?? 0) + 1);
  const asked = new Set(posts.map(({ reference }) => reference));
  // CWS's log of requests forgets the oldest ones in a long run.
  return [...made]
    .filter(([reference]) => asked.has(reference))
    .reduce((sum, [reference, count]) => sum + Math.max(0, count - (answered.get(reference) ?? 0)), 0);
}

/** Purchases that were sent more than once, under one reference, because the sending before did not happen. */
export function sentAgain({ purchases }) {
  return purchases.filter(({ sendCount }) => sendCount > 1).length;
}
