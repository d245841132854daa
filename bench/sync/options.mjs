import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const DEFAULT_PARTS = '1000,10000,100000,burst';
const DEFAULT_DRAWING = resolve(import.meta.dirname, '../../docs/sync-burst.svg');

const HELP = `Usage: npm run bench -- sync [options]

Measures how the built program follows a simulated CodesWholesale and keeps a simulated G2A up to date, both with 100 ms
latency and their limits enforced: first synchronization, a pass without changes, the delay from a supplier's change to the
PATCH with CodesWholesale's change feed working and lying, and a burst of changes. CPU and memory on Linux only.
Exit code 0 when every target is met, 1 when one is missed, 2 for wrong options.

  --only LIST          comma list of numbers of products, and burst (default: ${DEFAULT_PARTS})
  --seconds N          length of each measurement of delays, at 5 changes a second (default: 60)
  --factor N           times the real limits, for app and sandboxes alike (default: products / 1000, at least 1)
  --hot N              products with a reservation, which the lying feed is measured with (default: 300, at most 15 % of all)
  --page-size N        products in one page of CodesWholesale's list (default: 100)
  --burst-products N   (default: 10000)
  --burst-factor N     times the real limits in the burst (default: 5)
  --drawing FILE       the burst is drawn there as SVG (default: docs/sync-burst.svg)
  --json               the result as JSON on standard output; progress goes to standard error
  --help`;

/** @returns the options, or null when help was asked for (and printed). Wrong ones end the process with code 2. */
export function readOptions(args) {
  try {
    const text = (value) => ({ type: 'string', default: value });
    const { values } = parseArgs({
      args,
      options: {
        only: text(DEFAULT_PARTS),
        seconds: text('60'),
        factor: { type: 'string' },
        hot: { type: 'string' },
        'page-size': text('100'),
        'burst-products': text('10000'),
        'burst-factor': text('5'),
        drawing: text(DEFAULT_DRAWING),
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return null;
    }
    const number = (name) => wholeNumber(`--${name}`, values[name]);
    const parts = values.only.split(',');
    return {
      sizes: parts.filter((part) => part !== 'burst').map((part) => wholeNumber('--only', part)),
      hasBurst: parts.includes('burst'),
      seconds: number('seconds'),
      factor: values.factor === undefined ? null : number('factor'),
      hot: values.hot === undefined ? null : number('hot'),
      pageSize: number('page-size'),
      burstProducts: number('burst-products'),
      burstFactor: number('burst-factor'),
      drawing: resolve(values.drawing),
      isJson: values.json,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

function wholeNumber(name, text) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name}: '${text}' is not a whole number above 0`);
  return value;
}
