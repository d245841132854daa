// The merchant contract under load, beside the limit of the machine. See README.md and docs/performance.md.
import { Customers } from './contract/customers.mjs';
import { measureRoutes } from './contract/measure.mjs';
import { readOptions } from './contract/options.mjs';
import { printRoutes, printSoak } from './contract/report.mjs';
import { soak } from './contract/soak.mjs';
import { openStage } from './contract/stage.mjs';

const options = readOptions(process.argv.slice(2));
if (options !== null) await main(options);

async function main({ isJson, ...options }) {
  const startedAt = Date.now();
  const log = (line) => {
    process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
  };
  const stage = await openStage({ profile: options.profile, log });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      log('stopping');
      await stage.close();
      process.exit(130);
    });
  }
  try {
    const customers = new Customers(stage, options.connections);
    await customers.open();
    const isSoak = options.soakMinutes !== null;
    const result = isSoak
      ? await soak(stage, customers, options, log)
      : await measureRoutes(stage, customers, options, log);
    if (isJson) console.log(JSON.stringify({ node: process.versions.node, options, ...result }, null, 2));
    else if (isSoak) printSoak(result);
    else printRoutes(result, options);
    const missed = isSoak ? result.missed : result.results.flatMap((route) => route.missed);
    process.exitCode = missed.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}
