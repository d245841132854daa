// Prices products from memory on one core and prints how the time grows with their number. Needs a build.
//   npm run build && node bench/pricing.mjs
import { performance } from 'node:perf_hooks';
import { cents } from '../dist/money/cents.js';
import { decideListing } from '../dist/pricing/listing-decision.rules.js';
import { parseFeeRate, parseProfitPercent, resolveTerms } from '../dist/pricing/pricing-terms.js';

const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 5;
/** 100,000 products in under a second on one core. */
const TARGET_MS = 1_000;

const DEFAULTS = resolveTerms({
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
});

// A fixed sequence instead of Math.random(), so that every run prices the same catalog.
function* sequence(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

const SIMULATED = [1_000, 2_500, 5_000].map(cents);

function catalog(size) {
  const random = sequence(7);
  const upTo = (limit) => Math.floor(random.next().value * limit);
  return Array.from({ length: size }, (_, product) => ({
    suppliers: Array.from({ length: 1 + (product % 3) }, (_supplier, index) => {
      const single = 100 + upTo(6_000);
      return {
        cwsProductId: `${product}-${index}`,
        bands: [
          { fromQuantity: 1, toQuantity: 9, unitPrice: cents(single) },
          { fromQuantity: 10, toQuantity: null, unitPrice: cents(single - upTo(50)) },
        ],
        available: upTo(5) === 0 ? 0 : upTo(300),
        isReleased: upTo(50) !== 0,
      };
    }),
    // G2A's word about some prices of every product, by which half of them are raised.
    simulations: {
      retail: SIMULATED.map((price) => ({
        price,
        income: cents(Math.floor(price * (product % 2 === 0 ? 0.85 : 0.8))),
      })),
      business: SIMULATED.map((price) => ({ price, income: cents(Math.floor(price * 0.82)) })),
    },
    overrides: {
      profitPercent: product % 2 === 0 ? parseProfitPercent('7.5') : null,
      maxPrice: product % 7 === 0 ? cents(5_000) : null,
      charmEnding: product % 5 === 0 ? '.99' : null,
    },
  }));
}

/** Decides every listing, terms included, and answers the milliseconds and the number that can be sold. */
function priceAll(products, hasSimulations) {
  const startedAt = performance.now();
  let sellable = 0;
  for (const { suppliers, overrides, simulations } of products) {
    const terms = resolveTerms(DEFAULTS, overrides);
    const listing = { suppliers, terms, stockBuffer: 0, maxDeclaredStock: 10_000 };
    const decision = decideListing(hasSimulations ? { ...listing, simulations } : listing);
    if (decision.isSellable) sellable += 1;
  }
  return { elapsedMs: performance.now() - startedAt, sellable };
}

const cell = (value, width) => String(value).padStart(width);
console.log('pricing: 1 to 3 suppliers with 2 bands each, from memory, one core');
console.log(`best and worst of ${ROUNDS} rounds; the first round of the process includes compilation`);
console.log(
  `${cell('products', 10)}${cell('simulated', 11)}${cell('sellable', 10)}${cell('best ms', 10)}${cell('worst ms', 10)}${cell('prices/s', 12)}`,
);

let worstOfLargest = 0;
for (const hasSimulations of [false, true]) {
  for (const size of SIZES) {
    const products = catalog(size);
    const rounds = Array.from({ length: ROUNDS }, () => priceAll(products, hasSimulations));
    const times = rounds.map(({ elapsedMs }) => elapsedMs);
    const best = Math.min(...times);
    const worst = Math.max(...times);
    if (size === SIZES.at(-1)) worstOfLargest = Math.max(worstOfLargest, worst);
    console.log(
      cell(size, 10) +
        cell(hasSimulations ? 'yes' : 'no', 11) +
        cell(rounds[0].sellable, 10) +
        cell(best.toFixed(1), 10) +
        cell(worst.toFixed(1), 10) +
        cell(Math.round((size / best) * 1_000), 12),
    );
  }
}

const isMet = worstOfLargest < TARGET_MS;
console.log(
  `${SIZES.at(-1)} products in under ${TARGET_MS} ms: ${isMet ? 'met' : 'MISSED'} (worst ${worstOfLargest.toFixed(0)} ms)`,
);
process.exitCode = isMet ? 0 : 1;
