import fc from 'fast-check';
import { cents, formatCents, parseCents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { priceWithinBounds, raiseToEnding } from './price-bounds.rules.js';
import type { CharmEnding, PriceBounds } from './pricing-terms.js';

const amount = (text: string): Cents | null => (text === '' ? null : parseCents(text, 'exact'));
const anyPrice = fc.integer({ min: 1, max: 5_000 }).map(cents);
const anyBounds: fc.Arbitrary<PriceBounds> = fc.record({
  minPrice: fc.option(anyPrice),
  maxPrice: fc.option(anyPrice),
});
const anyEnding = fc.constantFrom<CharmEnding | null>('.99', '.49', null);

describe('a price within its bounds', () => {
  it.each`
    what                                    | profitable | min        | max        | marketMin | marketMax  | ending   | price
    ${'no bounds'}                          | ${'8.03'}  | ${''}      | ${''}      | ${''}     | ${''}      | ${null}  | ${'8.03'}
    ${'raised to our minimum'}              | ${'8.03'}  | ${'9.00'}  | ${''}      | ${''}     | ${''}      | ${null}  | ${'9.00'}
    ${'raised to the marketplace minimum'}  | ${'0.30'}  | ${'0.20'}  | ${''}      | ${'0.50'} | ${''}      | ${null}  | ${'0.50'}
    ${'exactly at the maximum'}             | ${'8.03'}  | ${''}      | ${'8.03'}  | ${''}     | ${''}      | ${null}  | ${'8.03'}
    ${'a cent above the maximum'}           | ${'8.03'}  | ${''}      | ${'8.02'}  | ${''}     | ${''}      | ${null}  | ${'none'}
    ${'above the lower of two maxima'}      | ${'8.03'}  | ${''}      | ${'20.00'} | ${''}     | ${'8.00'}  | ${null}  | ${'none'}
    ${'our minimum above G2A’s maximum'}    | ${'8.03'}  | ${'12.00'} | ${''}      | ${''}     | ${'10.00'} | ${null}  | ${'none'}
    ${'charm ending raises'}                | ${'8.03'}  | ${''}      | ${''}      | ${''}     | ${''}      | ${'.99'} | ${'8.99'}
    ${'charm ending after the minimum'}     | ${'8.03'}  | ${'9.00'}  | ${''}      | ${''}     | ${''}      | ${'.49'} | ${'9.49'}
    ${'charm ending at the maximum'}        | ${'8.03'}  | ${''}      | ${'8.99'}  | ${''}     | ${''}      | ${'.99'} | ${'8.99'}
    ${'charm ending left out at a maximum'} | ${'8.03'}  | ${''}      | ${'8.50'}  | ${''}     | ${''}      | ${'.99'} | ${'8.03'}
  `(
    '$what: $profitable, ours $min–$max, market $marketMin–$marketMax, ending $ending -> $price',
    ({ profitable, min, max, marketMin, marketMax, ending, price }) => {
      const bounded = priceWithinBounds(parseCents(profitable, 'exact'), ending, [
        { minPrice: amount(min), maxPrice: amount(max) },
        { minPrice: amount(marketMin), maxPrice: amount(marketMax) },
      ]);
      expect(bounded === null ? 'none' : formatCents(bounded)).toBe(price);
    },
  );

  it('is never below the profitable price or a minimum, and never above a maximum', () => {
    fc.assert(
      fc.property(anyPrice, anyEnding, fc.array(anyBounds, { maxLength: 3 }), (profitable, ending, bounds) => {
        const floor = Math.max(profitable, ...bounds.map(({ minPrice }) => minPrice ?? 0));
        const ceiling = Math.min(Infinity, ...bounds.map(({ maxPrice }) => maxPrice ?? Infinity));
        const price = priceWithinBounds(profitable, ending, bounds);
        return price === null ? floor > ceiling : price >= floor && price <= ceiling;
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('a charm ending', () => {
  it.each`
    price     | ending   | raised
    ${'8.03'} | ${'.99'} | ${'8.99'}
    ${'8.99'} | ${'.99'} | ${'8.99'}
    ${'9.00'} | ${'.99'} | ${'9.99'}
    ${'8.03'} | ${'.49'} | ${'8.49'}
    ${'8.49'} | ${'.49'} | ${'8.49'}
    ${'8.50'} | ${'.49'} | ${'9.49'}
    ${'0.01'} | ${'.49'} | ${'0.49'}
  `('$ending raises $price to $raised', ({ price, ending, raised }) => {
    expect(formatCents(raiseToEnding(parseCents(price, 'exact'), ending))).toBe(raised);
  });

  it('raises by less than one euro, never lowers, and ends as asked', () => {
    fc.assert(
      fc.property(anyPrice, fc.constantFrom<CharmEnding>('.99', '.49'), (price, ending) => {
        const raised = raiseToEnding(price, ending);
        expect(raised - price).toBeGreaterThanOrEqual(0);
        expect(raised - price).toBeLessThan(100);
        expect(formatCents(raised).endsWith(ending)).toBe(true);
      }),
    );
  });
});
