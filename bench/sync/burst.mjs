import { setTimeout as sleep } from 'node:timers/promises';
import { change, firstCents, numbers, offerIdOf } from './games.mjs';
import { REAL_LIMITS, secondsWithin } from './limits.mjs';
import { synchronize } from './measure-size.mjs';
import { LATENCY_MS, openStage } from './stage.mjs';

/** Scatters the kinds over the catalog, always in the same way; a prime, so that no two games get the same rank. */
const SCATTER = 7_919;
/** What happens to the games up to which share of all, and how urgent that is. The profit per key is 0.50. */
const KINDS = [
  { name: 'sold out', upTo: 0.03, isUrgent: true, change: () => ({ quantity: 0 }) },
  // At least 2 EUR more: what G2A shows loses money.
  { name: 'loses money', upTo: 0.23, isUrgent: true, change: (cents) => ({ cents: cents * 1.4 }) },
  { name: 'earns less', upTo: 0.4, isUrgent: false, change: (cents) => ({ cents: cents + 10 }) },
  { name: 'price cut', upTo: 1, isUrgent: false, isCut: true, change: (cents) => ({ cents: cents * 0.9 }) },
];
export const KIND_NAMES = KINDS.map(({ name }) => name);

/** Before it, so that the first window is empty. */
const QUIET_MS = (REAL_LIMITS.g2a.seconds + 5) * 1000;
const QUIET_LIMIT_MS = 300_000;
const PATIENCE_SECONDS = 120;
const PATIENCE_FACTOR = 3;
const PROGRESS_MS = 20_000;
const SAMPLE_MS = 1_000;
/** Requests that are under way at once have no order. */
const ORDER_TOLERANCE_MS = LATENCY_MS;

/**
 * All prices change and 3 % sell out at once: what arrives at G2A in which order, and how fast.
 * @returns per kind the times of the PATCHes in seconds after the changes, ascending; the order, and the rate within whole windows of G2A's limit.
 */
export async function measureBurst({ products, factor, options, log, onStage }) {
  log(`burst: ${products} products, limits times ${factor}: starting, stocking up and mapping them`);
  const stage = await openStage({ products, factor, pageSize: options.pageSize });
  onStage(stage);
  try {
    await synchronize(stage, log);
    log('waiting until nothing is under way');
    await stage.arrivals.quiet(QUIET_MS, Date.now() + QUIET_LIMIT_MS);
    return await changeEverything(stage, log);
  } catch (error) {
    throw new Error(`${error.message}\n${stage.app === null ? '' : stage.endOfLog()}`, { cause: error });
  } finally {
    await stage.close();
  }
}

async function changeEverything(stage, log) {
  const { products, factor, arrivals } = stage;
  const kindOf = (number) => KINDS.find(({ upTo }) => (number * SCATTER) % products < upTo * products);
  const changes = numbers(products).map((number) => change(number, kindOf(number).change(firstCents(number))));
  const from = arrivals.count;
  const sampling = sampleRequests(stage);
  const startedAtMs = Date.now();
  await stage.change(changes);
  const changedWithinMs = Date.now() - startedAtMs;
  log(`everything changed within ${changedWithinMs} ms`);

  const isOff = ({ active }) => active === false;
  const hasPrice = ({ price }) => price !== undefined;
  const wanted = new Map(
    numbers(products).map((number) => [offerIdOf(number), kindOf(number) === KINDS[0] ? isOff : hasPrice]),
  );
  const limitSeconds = secondsWithin(REAL_LIMITS.g2a, products / factor);
  let toldAtMs = Date.now();
  const arrivedAtMs = await arrivals.firstOfEach(wanted, {
    from,
    deadlineMs: Date.now() + (PATIENCE_SECONDS + PATIENCE_FACTOR * limitSeconds) * 1000,
    onLook: (count) => {
      if (Date.now() - toldAtMs < PROGRESS_MS) return;
      toldAtMs = Date.now();
      log(`  ${count} of ${products} offers told`);
    },
  });
  const samples = await sampling.end();
  if (arrivedAtMs.size === 0) throw new Error('no offer was told of the changes');

  const secondsOf = Object.fromEntries(KIND_NAMES.map((name) => [name, []]));
  for (const number of numbers(products)) {
    const atMs = arrivedAtMs.get(offerIdOf(number));
    if (atMs !== undefined) secondsOf[kindOf(number).name].push((atMs - startedAtMs) / 1000);
  }
  for (const times of Object.values(secondsOf)) times.sort((a, b) => a - b);
  const { refused } = await stage.requests();
  return {
    products,
    factor,
    limits: stage.limits,
    changedWithinMs,
    missing: products - arrivedAtMs.size,
    patches: arrivals.count - from,
    secondsOf,
    kinds: Object.fromEntries(KIND_NAMES.map((name) => [name, summary(secondsOf[name])])),
    ...order(secondsOf),
    drain: drain([...arrivedAtMs.values()], samples, factor),
    secondsAtRealLimits: secondsWithin(REAL_LIMITS.g2a, products),
    refused,
  };
}

function summary(times) {
  return { patches: times.length, firstSeconds: times[0] ?? null, lastSeconds: times.at(-1) ?? null };
}

/** The last urgent PATCH, the first price cut, and how many cuts came before an urgent one. */
function order(secondsOf) {
  const urgent = KINDS.filter(({ isUrgent }) => isUrgent).flatMap(({ name }) => secondsOf[name]);
  const cuts = KINDS.filter(({ isCut }) => isCut).flatMap(({ name }) => secondsOf[name]);
  const lastUrgentSeconds = urgent.reduce((last, at) => Math.max(last, at), 0);
  return {
    lastUrgentSeconds,
    firstCutSeconds: cuts.reduce((first, at) => Math.min(first, at), Infinity),
    cutsTooEarly: cuts.filter((at) => at < lastUrgentSeconds - ORDER_TOLERANCE_MS / 1000).length,
  };
}

/**
 * What was sent of what G2A's limit permits, in the windows of the limit that are full of work from the first PATCH on. A queue that fits
 * into less than one window is not held up by the limit: null.
 */
function drain(arrivedAtMs, samples, factor) {
  const { requests, seconds } = REAL_LIMITS.g2a;
  const firstAtMs = arrivedAtMs[0];
  const windows = Math.floor((arrivedAtMs.at(-1) - firstAtMs) / (seconds * 1000));
  const wholeSeconds = (arrivedAtMs.at(-1) - firstAtMs) / 1000;
  if (windows === 0) return { seconds: wholeSeconds, windows, patchShare: null, requestShare: null };
  const endsAtMs = firstAtMs + windows * seconds * 1000;
  const permitted = requests * factor * windows;
  const countAt = (atMs) => samples.findLast((sample) => sample.atMs <= atMs).count;
  return {
    seconds: wholeSeconds,
    windows,
    permitted,
    patchShare: arrivedAtMs.filter((atMs) => atMs < endsAtMs).length / permitted,
    requestShare: (countAt(endsAtMs) - countAt(firstAtMs)) / permitted,
  };
}

/** Counts all requests to G2A, once a second, until `end()`. */
function sampleRequests(stage) {
  const samples = [];
  let isOver = false;
  const run = (async () => {
    while (!isOver) {
      samples.push({ atMs: Date.now(), count: (await stage.requests()).g2a });
      await sleep(SAMPLE_MS);
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await run;
      return samples;
    },
  };
}
