// `npm run bench -- contract|fulfillment|pricing|sync [options]`: starts the benchmark of that name. Needs a build.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

const BENCHMARKS = {
  contract: 'the merchant contract over HTTP, beside the limit of the machine; --help lists its options',
  fulfillment: 'from the paid order to the purchase, and from the code to the inventory',
  pricing: 'prices from memory, one core',
  sync: 'how prices and stock follow the supplier: 1,000 to 100,000 products, and a burst; --help lists its options',
};

const [name = '--help', ...options] = process.argv.slice(2);
if (Object.hasOwn(BENCHMARKS, name)) {
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.mjs`), ...options], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of us: the benchmark ends itself in order, and we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
} else {
  console.log('Usage: npm run bench -- <name> [options]\n');
  for (const [benchmark, description] of Object.entries(BENCHMARKS))
    console.log(`  ${benchmark.padEnd(13)}${description}`);
  process.exitCode = name === '--help' || name === '-h' ? 0 : 2;
}
