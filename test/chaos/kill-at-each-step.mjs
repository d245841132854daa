import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runProgram } from '../../bench/support/programs.mjs';
import { startG2aSandbox } from '../../dist/sandbox/g2a.js';
import { openDatabase } from './database.mjs';
import { judge } from './kill-judge.mjs';
import { KillLane } from './kill-lane.mjs';
import { MAPPINGS, VARIANTS } from './kill-variants.mjs';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');
const FIRST_REQUEST = 'before POST /v3/orders';
const isLast = (step) => step.startsWith('after  COMMIT') && step.includes('order.state_changed to completed');
const isPurchase = (step) => /COMMIT of purchase|POST /.test(step);
/** As before it: what was asked for changes nothing at CodesWholesale. */
const isQuestionSent = (step) => step.startsWith('sent   GET');

/** Ends in reverse what was started; each is asked once. */
const closers = [];

/**
 * `npm run test:chaos -- --each-step`: kills the built program once at every step of the purchase protocol, freezes it at those around
 * the purchase, and prints what became of each order.
 * @returns the exit code: 0 when every order got its key, bought once; 1 when a promise was broken, and the logs are named.
 */
export async function killAtEachStep({ isJson }) {
  const directory = mkdtempSync(join(tmpdir(), 'keyferry-kills-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => void close().then(() => process.exit(1)));
  }
  let isGood = false;
  try {
    isGood = await play(directory, isJson);
  } catch (error) {
    console.error(error.stack);
  } finally {
    await close();
  }
  if (isGood) rmSync(directory, { recursive: true, force: true });
  else console.error(`logs: ${directory}`);
  return isGood ? 0 : 1;
}

/** @returns whether every promise was kept. */
async function play(directory, isJson) {
  const beganAt = Date.now();
  const lanes = await openLanes(directory, Math.max(3, Math.min(6, availableParallelism())));
  const deaths = [];
  for (const variant of VARIANTS) {
    const { steps, ...end } = await lanes[0].record(variant);
    const broken = judge(end);
    if (broken.length > 0) throw new Error(`${variant.name}, undisturbed: ${broken.join('; ')}`);
    deaths.push(...deathsOf(variant, steps));
  }
  if (deaths.length === 0) throw new Error('no step was seen');
  console.error(`${deaths.length} deaths, ${lanes.length} at a time`);
  const rows = [];
  const queue = deaths.entries();
  await Promise.all(
    lanes.map(async (lane) => {
      for (const [index, death] of queue) {
        rows[index] = await die(lane, death);
        for (const line of rows[index].broken) console.error(`BROKEN  ${death.name}, ${death.step}: ${line}`);
      }
    }),
  );
  const broken = rows.filter((row) => row.broken.length > 0);
  const seconds = Math.round((Date.now() - beganAt) / 1000);
  if (isJson) console.log(JSON.stringify({ seconds, rows }, null, 2));
  else print(rows, seconds, broken.length);
  return broken.length === 0;
}

/** The steps at which the process dies or is frozen, of those that were seen. */
function deathsOf(variant, steps) {
  const { name, isWhole = false, frozenFrom } = variant;
  const own = isWhole ? steps : steps.slice(steps.indexOf(FIRST_REQUEST) + 1, steps.findIndex(isLast) + 1);
  const deaths = own
    .filter((step) => !isQuestionSent(step))
    .map((step) => ({ name, stop: (lane) => lane.killAt(variant, step), step }));
  if (frozenFrom === undefined) return deaths;
  const from = own.findIndex((step) => step.startsWith(frozenFrom));
  if (from < 0) throw new Error(`${name}: there is no step ${frozenFrom}`);
  const frozen = own.slice(from, own.findIndex(isLast) + 1).filter(isPurchase);
  const freeze = (step) => ({ name: `${name}; frozen meanwhile`, stop: (lane) => lane.freezeAt(variant, step), step });
  return [...deaths, ...frozen.map(freeze)];
}

async function die(lane, { name, stop, step }) {
  const end = await stop(lane);
  const paid = end.bought.filter((order) => order.end === 'Completed');
  const broken = judge(end);
  if (!end.isReached) broken.push('the step was not reached');
  const [order] = end.orders;
  return {
    variant: name,
    step,
    paid: paid.length,
    cancelled: end.bought.length - paid.length,
    sent: end.purchases.reduce((sum, { sendCount }) => sum + sendCount, 0),
    keys: end.delivered.length,
    state: order?.state ?? 'none',
    broken,
  };
}

async function openLanes(directory, count) {
  // PostgreSQL does not run as root: the user that runs it instead must be able to enter.
  chmodSync(directory, 0o755);
  const database = await openDatabase(directory);
  closers.push(database.close);
  const g2a = await startG2aSandbox({ products: MAPPINGS.length, limits: { api: null }, applyDelayMs: 0 });
  closers.push(() => g2a.close());
  const env = { DATABASE_URL: database.url };
  const file = join(directory, 'mappings.json');
  writeFileSync(file, JSON.stringify(MAPPINGS));
  await runProgram(CLI, { args: ['migrate'], env, cwd: directory });
  await runProgram(CLI, { args: ['seed', file], env, cwd: directory });

  const lanes = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `lane_${number}`;
    const databaseUrl = await database.copy(name);
    const lane = await KillLane.open({ name, databaseUrl, g2aUrl: g2a.url, directory });
    closers.push(() => lane.close());
    lanes.push(lane);
  }
  return lanes;
}

function print(rows, seconds, brokenCount) {
  let variant = '';
  for (const row of rows) {
    if (row.variant !== variant)
      console.log(`\n${row.variant}\n${'paid  cancelled  sent  keys  state'.padEnd(42)}stopped`);
    ({ variant } = row);
    const cells = [
      String(row.paid).padEnd(6),
      String(row.cancelled).padEnd(11),
      String(row.sent).padEnd(6),
      String(row.keys).padEnd(6),
      row.state.padEnd(13),
    ];
    console.log(`${cells.join('')}${row.step}`);
    for (const line of row.broken) console.log(`BROKEN  ${line}`);
  }
  console.log(
    `\n${rows.length} deaths in ${seconds} s, ${brokenCount === 0 ? 'every promise was kept' : `${brokenCount} BROKEN`}`,
  );
}

async function close() {
  for (const closer of closers.splice(0).reverse()) await closer();
}
