import { setTimeout as sleep } from 'node:timers/promises';
import { g2aProductId } from '../../dist/sandbox/catalog.js';
import { exchange } from '../support/http.mjs';
import { AUTHORIZATION } from '../support/stage.mjs';
import { delaysOfChanges } from './delays.mjs';
import { numbers, offerIdOf } from './games.mjs';
import { REAL_LIMITS, secondsAtRealLimits, secondsWithin, sweepSecondsAtRealLimits } from './limits.mjs';
import { openStage, SYNC_INTERVAL_SECONDS } from './stage.mjs';

/** Passes that are looked at while nothing changes. */
const IDLE_PASSES = 6;
/** Nothing is under way any more when no PATCH came for so long. */
const QUIET_MS = 3 * SYNC_INTERVAL_SECONDS * 1000;
const QUIET_LIMIT_MS = 180_000;
/** How much longer than the limits alone demand a first synchronization may take before it is given up. */
const PATIENCE_SECONDS = 180;
const PATIENCE_FACTOR = 10;
const PROGRESS_MS = 10_000;
/** How long the PATCHes of the last changes are waited for. */
const FEED_WAIT_SECONDS = 30;
const SWEEP_WAIT_SECONDS = 90;
/** Hot products: as many as 60 s of changes need, but no more than the real limits can serve while the feed is believed. */
const HOT = 300;
const HOT_SHARE = 0.15;
/** Most products in one reservation. */
const PRODUCTS_PER_CALL = 100;
const RESERVATION_TRIES = 5;
/** Price rises: the second is told from the first where a small size has a product in both measurements. */
const RISE = 1.05;
const RISE_UNSEEN = 1.1;

/** Everything that is measured of one number of mapped products. */
export async function measureSize({ products, factor, options, log, onStage }) {
  log(`${products} products, limits times ${factor}: starting, stocking up and mapping them`);
  const stage = await openStage({ products, factor, pageSize: options.pageSize });
  onStage(stage);
  try {
    const firstSync = await synchronize(stage, log);
    log('waiting until nothing is under way');
    await stage.arrivals.quiet(QUIET_MS, Date.now() + QUIET_LIMIT_MS);
    log(`${IDLE_PASSES} passes without changes`);
    const idle = await measureIdle(stage);
    const memoryIdle = stage.memory();

    const { seconds } = options;
    const games = numbers(products);
    log(`delays for ${seconds} s, the feed working`);
    const working = await delaysOfChanges(stage, games.toReversed(), {
      seconds,
      rise: RISE,
      waitSeconds: FEED_WAIT_SECONDS,
    });
    const hot = games.slice(0, options.hot ?? Math.min(HOT, Math.floor(products * HOT_SHARE)));
    log(`reserving ${hot.length} products, and delays of their changes for ${seconds} s, the feed lying`);
    await reserve(stage, hot);
    await stage.letFeedLie();
    const lying = await delaysOfChanges(stage, hot, { seconds, rise: RISE_UNSEEN, waitSeconds: SWEEP_WAIT_SECONDS });

    const { refused } = await stage.requests();
    return {
      products,
      factor,
      limits: stage.limits,
      firstSync,
      idle,
      working,
      lying: {
        ...lying,
        hot: hot.length,
        hotCycleSecondsAtRealLimits: SYNC_INTERVAL_SECONDS + sweepSecondsAtRealLimits(hot.length),
        cycleSecondsAtRealLimits: sweepSecondsAtRealLimits(products),
      },
      memory: memoryIdle === null ? null : { idleBytes: memoryIdle.nowBytes, peakBytes: stage.memory().peakBytes },
      refused,
    };
  } catch (error) {
    throw new Error(`${error.message}\n${stage.app === null ? '' : stage.endOfLog()}`, { cause: error });
  } finally {
    await stage.close();
  }
}

/** Starts the program and waits until every offer was put up for sale. */
export async function synchronize(stage, log) {
  const { products, factor } = stage;
  const limitSeconds = secondsWithin(REAL_LIMITS.g2a, products / factor) + sweepSecondsAtRealLimits(products) / factor;
  const deadlineMs = Date.now() + (PATIENCE_SECONDS + PATIENCE_FACTOR * limitSeconds) * 1000;
  const before = await stage.processorMs();
  const startedAtMs = Date.now();
  await stage.startApp();
  log('first synchronization');
  let toldAtMs = Date.now();
  const forSale = ({ active }) => active === true;
  const wanted = new Map(numbers(products).map((number) => [offerIdOf(number), forSale]));
  const arrivedAtMs = await stage.arrivals.firstOfEach(wanted, {
    from: 0,
    deadlineMs,
    onLook: (count) => {
      if (Date.now() - toldAtMs < PROGRESS_MS) return;
      toldAtMs = Date.now();
      log(`  ${count} of ${products} offers for sale`);
    },
  });
  if (arrivedAtMs.size < products) {
    throw new Error(`first synchronization given up: ${arrivedAtMs.size} of ${products} offers were put up for sale`);
  }
  const [requests, after] = await Promise.all([stage.requests(), stage.processorMs()]);
  // They are in the order they came.
  const seconds = ([...arrivedAtMs.values()].at(-1) - startedAtMs) / 1000;
  return {
    requests,
    seconds,
    secondsAtRealLimits: Math.max(seconds, secondsAtRealLimits(requests)),
    cpuSeconds: after === null ? null : (after.program - before.program + after.database - before.database) / 1000,
  };
}

async function measureIdle(stage) {
  const read = async () => ({
    atMs: Date.now(),
    patches: stage.arrivals.count,
    requests: await stage.requests(),
    processor: await stage.processorMs(),
  });
  const before = await read();
  await sleep(IDLE_PASSES * SYNC_INTERVAL_SECONDS * 1000);
  await stage.arrivals.read();
  const after = await read();
  const passes = await stage.feedPasses(before.atMs, after.atMs);
  const spentMs = (part) => (after.processor[part] - before.processor[part]) / passes;
  return {
    passes,
    patches: after.patches - before.patches,
    secondsFromPassToPass: (after.atMs - before.atMs) / 1000 / passes,
    requestsPerPass: {
      cws: (after.requests.cws - before.requests.cws) / passes,
      g2a: (after.requests.g2a - before.requests.g2a) / passes,
    },
    cpuSecondsPerPass:
      before.processor === null ? null : { program: spentMs('program') / 1000, database: spentMs('database') / 1000 },
  };
}

/** One piece of each: what is reserved is looked at first. */
async function reserve(stage, games) {
  const headers = { authorization: AUTHORIZATION, 'content-type': 'application/json' };
  for (let from = 0; from < games.length; from += PRODUCTS_PER_CALL) {
    const wanted = games
      .slice(from, from + PRODUCTS_PER_CALL)
      .map((number) => ({ product_id: g2aProductId(number), quantity: 1 }));
    const request = { method: 'POST', path: '/reservation', headers, body: JSON.stringify(wanted) };
    for (let tries = 1; ; tries += 1) {
      const { status, body } = await exchange(stage.app.url, request);
      if (status === 200) break;
      if (tries === RESERVATION_TRIES) throw new Error(`POST /reservation: ${status} ${body}`);
      await sleep(1000);
    }
  }
}
