// npm run test:chaos [-- options]: see --help and README.md. Needs a build.
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './check.mjs';
import { Disturber } from './disturb.mjs';
import { gather, untilFinal } from './evidence.mjs';
import { readOptions } from './options.mjs';
import { killAtEachStep } from './kill-at-each-step.mjs';
import { makePlan } from './plan.mjs';
import { printReport, summarize } from './report.mjs';
import { Shoppers } from './shoppers.mjs';
import { Stage } from './stage.mjs';

const options = readOptions(process.argv.slice(2));
if (options?.isEachStep) {
  process.exitCode = await killAtEachStep(options);
} else if (options !== null) {
  const seed = options.seed ?? randomInt(2 ** 31);
  process.exitCode = await run({ ...options, seed });
}

async function run({ seed, orders, isJson }) {
  const beganAt = Date.now();
  const log = (line) => console.error(`${String(Math.round((Date.now() - beganAt) / 1000)).padStart(4)} s  ${line}`);
  log(`seed ${seed}, ${orders} orders; again: npm run test:chaos -- --orders ${orders} --seed ${seed}`);
  const stage = new Stage();
  endOnSignal(stage, log);
  try {
    await stage.open(log);
    const { evidence, unserved, disturber } = await play(stage, makePlan({ seed, orders }), log);
    const violations = check(evidence);
    const seconds = Math.round((Date.now() - beganAt) / 1000);
    const summary = summarize({ seed, evidence, unserved, disturber, violations, seconds });
    const isGood = violations.length === 0;
    if (!isGood) await keepTraces(stage, evidence);
    await stage.close();
    if (isGood) stage.discard();
    printReport(summary, { isJson, directory: isGood ? null : stage.directory });
    return isGood ? 0 : 1;
  } catch (error) {
    await stage.close();
    console.error(`${error.stack}\nseed ${seed}, logs: ${stage.directory}`);
    return 1;
  }
}

/** The customers come, everything that can break breaks, then it is quiet until all is settled. */
async function play(stage, plan, log) {
  const shoppers = new Shoppers(stage.replicas);
  const disturber = new Disturber(stage);
  await disturber.prepare(plan);
  const startedAtMs = Date.now();
  const progress = setInterval(() => log(`${shoppers.notes.length} orders`), 10_000);
  const ordering = plan.customers.map(async (customer) => {
    await sleep(customer.atMs);
    return shoppers.order(customer);
  });
  const fetching = ordering.map(async (ordered, index) => {
    const note = await ordered;
    if (note !== undefined) await shoppers.fetchKeys(plan.customers[index], note);
  });
  try {
    await disturber.run(plan, startedAtMs);
    log('quiet: no more faults');
    await disturber.calm();
    shoppers.noteQuiet();
    // On a slow machine the last ones are still paying.
    await Promise.all(ordering);
    await untilFinal(stage, log);
  } finally {
    clearInterval(progress);
    shoppers.endLooks();
  }
  await Promise.all(fetching);
  const { notes, unserved } = shoppers;
  const evidence = await gather(stage, { notes, customers: plan.customers.length, disturber });
  return { evidence, unserved, disturber };
}

/** What a person needs to find out what went wrong. */
async function keepTraces({ directory, database }, evidence) {
  const audit = await database.query('SELECT * FROM audit_log ORDER BY id');
  writeFileSync(join(directory, 'evidence.json'), JSON.stringify(evidence, null, 1));
  writeFileSync(join(directory, 'audit.json'), audit.map((row) => JSON.stringify(row)).join('\n'));
}

function endOnSignal(stage, log) {
  let isClosing = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (isClosing) return;
      isClosing = true;
      log(`${signal}: ending everything`);
      void stage.close().then(() => {
        stage.discard();
        process.exit(1);
      });
    });
  }
}
