// How prices and stock follow the supplier, for many products and within everybody's limits. See README.md and docs/performance.md.
import { writeFileSync } from 'node:fs';
import { measureBurst } from './sync/burst.mjs';
import { drawBurst } from './sync/burst-drawing.mjs';
import { measureSize } from './sync/measure-size.mjs';
import { readOptions } from './sync/options.mjs';
import { printBurst, printSizes, printVerdict } from './sync/report.mjs';
import { missedByBurst, missedBySize } from './sync/targets.mjs';

/** So many products have at the real limits what they need; more of them are measured at limits that grow along. */
const PRODUCTS_AT_REAL_LIMITS = 1_000;

const options = readOptions(process.argv.slice(2));
if (options !== null) await main(options);

async function main({ isJson, sizes, hasBurst, drawing, ...options }) {
  const startedAt = Date.now();
  const log = (line) => {
    process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
  };
  let stage = null;
  const onStage = (opened) => {
    stage = opened;
  };
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      log('stopping');
      await stage?.close();
      process.exit(130);
    });
  }

  // What was measured is told even when something after it breaks: all of it takes half an hour.
  const missed = [];
  const attempt = async (name, work) => {
    try {
      const result = await work();
      missed.push(...result.missed.map((text) => `${name}: ${text}`));
      return [result];
    } catch (error) {
      log(error.stack);
      missed.push(`${name}: ${error.message.split('\n')[0]}`);
      return [];
    }
  };

  const results = [];
  for (const products of sizes) {
    const factor = options.factor ?? Math.max(1, products / PRODUCTS_AT_REAL_LIMITS);
    const measured = await attempt(products, async () => {
      const result = await measureSize({ products, factor, options, log, onStage });
      return { ...result, missed: missedBySize(result) };
    });
    results.push(...measured);
  }
  const { burstProducts, burstFactor } = options;
  const bursts = !hasBurst
    ? []
    : await attempt('burst', async () => {
        const { secondsOf, ...result } = await measureBurst({
          products: burstProducts,
          factor: burstFactor,
          options,
          log,
          onStage,
        });
        writeFileSync(drawing, drawBurst({ ...result, secondsOf }));
        log(`drawn in ${drawing}`);
        return { ...result, missed: missedByBurst(result) };
      });

  if (isJson) {
    const burst = bursts[0] ?? null;
    console.log(JSON.stringify({ node: process.versions.node, options, sizes: results, burst, missed }, null, 2));
  } else {
    if (results.length > 0) printSizes(results);
    for (const burst of bursts) printBurst(burst);
    printVerdict(missed);
  }
  process.exitCode = missed.length === 0 ? 0 : 1;
}
