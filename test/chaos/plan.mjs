import { Random } from './random.mjs';

/** Games on sale; each has two suppliers. */
export const GAMES = 20;
/** The last games have so few pieces at the first supplier that an order may need both. */
export const SCARCE_GAMES = 3;
export const SCARCE_PIECES = 40;

const ORDER_GAP_MS = 250;
const DISTURBANCE_GAP_MS = 4_500;

const ORDERING = 'POST /v3/orders';
const ORDER = 'GET /v3/orders/:id';
const HISTORY = 'GET /v3/orders';
const CODE = 'GET /v3/codes/:codeId';

/**
 * What CodesWholesale can do to a purchase or to the questions after it; every entry happens once before one happens twice.
 * Lateness stays within what the shortened settling times of the stage allow (see stage.mjs), as it does in production.
 */
const FAULTS = [
  () => [{ name: 'answersAfterCommitNever' }],
  () => [{ name: 'answersAfterCommitNever', hangs: true }],
  () => [{ name: 'answers500AfterCommit' }],
  () => [{ name: 'answers500AfterCommit' }, { name: 'fulfillsAfterSeconds', seconds: 5 }],
  (random) => [{ name: 'answersAfterCommitNever' }, { name: 'appearsAfterSeconds', seconds: random.between(1, 2) }],
  (random) => [{ name: 'appearsAfterSeconds', seconds: random.between(1, 2) }],
  () => [{ name: 'sellsOutMidOrder' }],
  () => [{ name: 'sellsOutMidOrder', times: 3 }],
  () => [{ name: 'refusesPrice' }],
  (random) => [{ name: 'answersSlowly', milliseconds: random.between(200, 4_000), route: ORDERING, times: 4 }],
  // Given up on after 10 s, and executed all the same.
  () => [{ name: 'answersSlowly', milliseconds: 11_000, route: ORDERING }],
  (random) => [{ name: 'answers429', seconds: random.between(1, 3), route: ORDERING, times: random.between(1, 3) }],
  () => [{ name: 'answers500', route: ORDERING }],
  () => [{ name: 'losesRequest', route: ORDERING }],
  () => [{ name: 'losesRequest', route: ORDERING, hangs: true }],
  () => [{ name: 'dropsToken', route: ORDERING }],
  () => [{ name: 'dropsToken' }],
  (random) => [{ name: 'fulfillsAfterSeconds', seconds: random.between(1, 12), times: 2 }],
  (random) => [{ name: 'codeComesLater', seconds: random.between(1, 10) }],
  () => [{ name: 'cancelsOrder' }],
  () => [{ name: 'failsOrder' }, { name: 'fulfillsAfterSeconds', seconds: 3 }],
  (random) => [{ name: 'answers500', route: random.pick([ORDER, HISTORY, CODE]), times: 4 }],
  (random) => [{ name: 'losesRequest', route: random.pick([ORDER, HISTORY]), hangs: true, times: 2 }],
  (random) => [{ name: 'answers429', route: random.pick([ORDER, HISTORY, CODE]), seconds: 2, times: 3 }],
  (random) => [{ name: 'answersSlowly', milliseconds: random.between(200, 3_000), times: 5 }],
];

/** What happens to the program and its database. Freezing is longer than the 5 s in which a purchase may be sent. */
const DISTURBANCES = [
  () => ({ kind: 'kill', replica: 0 }),
  () => ({ kind: 'kill', replica: 1 }),
  () => ({ kind: 'kill', replica: 0 }),
  () => ({ kind: 'kill', replica: 1 }),
  (random) => ({ kind: 'killBoth', gapMs: random.between(0, 500) }),
  (random) => ({ kind: 'freeze', replica: random.between(0, 1), forMs: random.between(6_000, 12_000) }),
  (random) => ({ kind: 'restartDatabase', how: 'fast', downMs: random.between(0, 2_000) }),
  (random) => ({ kind: 'restartDatabase', how: 'immediate', downMs: random.between(0, 2_000) }),
];

/**
 * Everything that will be done. Depends on its arguments alone. Customers and disturbances have times, in milliseconds from the first
 * order on; a fault waits for its turn among the requests to buy, so that it meets the same one however fast the machine is.
 * @param options.seed whole number.
 * @param options.orders how many customers come.
 */
export function makePlan({ seed, orders }) {
  const random = new Random(seed);
  const [shopping, breaking, misbehaving] = [random.fork(), random.fork(), random.fork()];
  const customers = planCustomers(shopping, orders);
  const endMs = customers.at(-1).atMs;
  return {
    seed,
    customers,
    disturbances: planDisturbances(breaking, endMs),
    faults: planFaults(misbehaving, customers),
  };
}

function planCustomers(random, orders) {
  let atMs = 0;
  return Array.from({ length: orders }, (_, index) => {
    atMs += random.between(0, 2 * ORDER_GAP_MS);
    const game = random.between(1, GAMES);
    const lines = [{ game, quantity: random.chance(0.7) ? 1 : random.between(2, 4) }];
    if (random.chance(0.1)) lines.push({ game: (game % GAMES) + 1, quantity: random.between(1, 2) });
    return {
      index,
      atMs,
      lines,
      reservesAt: random.between(0, 1),
      ordersAt: random.between(0, 1),
      // A customer's paid order may be told once, again after it was answered, or to both replicas at the same time.
      calls: random.pick(['once', 'once', 'again', 'both']),
      hesitatesMs: random.chance(0.2) ? random.between(100, 2_000) : 0,
    };
  });
}

function planDisturbances(random, endMs) {
  const draw = random.deck(DISTURBANCES);
  const disturbances = [];
  for (
    let atMs = DISTURBANCE_GAP_MS / 2;
    atMs <= endMs;
    atMs += random.between(1_000, 2 * DISTURBANCE_GAP_MS - 1_000)
  ) {
    disturbances.push({ atMs, ...draw()(random) });
  }
  return disturbances;
}

function planFaults(random, customers) {
  const draw = random.deck(FAULTS);
  // Every second customer, at random: how often each fault comes is certain.
  const isMet = random.deck([true, false]);
  let purchases = 0;
  return customers.flatMap(({ lines }) => {
    // Each line is bought with at least one request, so that the turn of every fault comes.
    const after = { route: ORDERING, requests: purchases };
    purchases += lines.length;
    return isMet() ? [draw()(random).map((behavior) => ({ times: 1, ...behavior, after }))] : [];
  });
}
