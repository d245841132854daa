import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { cents, parseCents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import { atWorst, guardPrice, type GuardedPrice, judgePriceBands, type PriceReport } from './price-guard.rules.js';
import { type SupplierOffer, unitPriceFor } from './supplier-choice.rules.js';

const band = (fromQuantity: number, toQuantity: number | null, price: string): PriceBand => ({
  fromQuantity,
  toQuantity,
  unitPrice: parseCents(price, 'exact'),
});
const single = (price: string): PriceBand[] => [band(1, null, price)];

/** Price lists as the supplier may send them: contiguous bands from some quantity on. */
const anyPrices: fc.Arbitrary<PriceBand[]> = fc
  .tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2_000_000 })), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([first, steps, isOpen]) => {
    let next = first;
    return steps.map(([width, price], index) => {
      const fromQuantity = next;
      next += width;
      const isLast = index === steps.length - 1;
      return { fromQuantity, toQuantity: isLast && isOpen ? null : next - 1, unitPrice: cents(price) };
    });
  });
const QUANTITIES = Array.from({ length: 24 }, (_, index) => index + 1);

describe('whether a reported price is believed', () => {
  it.each([
    ['6.32', '10.74', 70, null],
    ['6.32', '10.75', 70, 'price_changed'],
    ['6.32', '1.90', 70, null],
    ['6.32', '1.89', 70, 'price_changed'],
    ['6.32', '0.07', 70, 'price_changed'],
    ['6.32', '6.32', 1, null],
    ['1.00', '1.01', 1, null],
    ['1.00', '1.02', 1, 'price_changed'],
    ['1.00', '11.00', 1000, null],
    ['1.00', '11.01', 1000, 'price_changed'],
    ['6.32', '0.00', 1000, 'price_zero'],
    ['6.32', '-1.00', 1000, 'price_zero'],
  ])('from %s to %s with %i %% allowed: %s', (accepted, reported, percent, expected) => {
    expect(judgePriceBands(single(accepted), single(reported), percent)).toBe(expected);
  });

  it('depends on every quantity: a band may change, or disappear, while a single key costs the same', () => {
    const accepted = [band(1, 9, '6.32'), band(10, null, '5.90')];
    expect(judgePriceBands(accepted, [band(1, 9, '6.32'), band(10, null, '0.59')], 70)).toBe('price_changed');
    expect(judgePriceBands(accepted, [band(1, 9, '6.32'), band(10, 49, '5.90'), band(50, null, '0.59')], 70)).toBe(
      'price_changed',
    );
    expect(judgePriceBands(accepted, [band(1, 9, '6.32')], 70)).toBe('price_changed');
    expect(judgePriceBands([band(1, 9, '6.32')], accepted, 70)).toBeNull();
    expect(judgePriceBands(accepted, [band(1, null, '6.32')], 70)).toBeNull();
  });

  it('is no where a single key has no price any more', () => {
    expect(judgePriceBands(single('6.32'), [], 1000)).toBe('price_missing');
    expect(judgePriceBands(single('6.32'), [band(10, null, '6.32')], 1000)).toBe('price_missing');
  });

  it('is yes for a product that never had a price', () => {
    expect(judgePriceBands([], single('6.32'), 1)).toBeNull();
    expect(judgePriceBands([], [], 1)).toBeNull();
    expect(judgePriceBands([band(10, null, '6.00')], [band(1, 9, '9.00'), band(10, null, '6.00')], 1)).toBeNull();
  });

  it('is yes for any price against itself, and no for one that is further away than one that is not believed', () => {
    const amount = fc.integer({ min: 1, max: 5_000_000 });
    fc.assert(
      fc.property(
        anyPrices,
        fc.integer({ min: 1, max: 1000 }),
        (prices, percent) => judgePriceBands(prices, prices, percent) === null,
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.nat({ max: 1_000_000 }),
        fc.integer({ min: 1, max: 1000 }),
        (old, now, more, percent) => {
          const judge = (price: number) =>
            judgePriceBands(
              [{ ...band(1, null, '1'), unitPrice: cents(old) }],
              [{ ...band(1, null, '1'), unitPrice: cents(price) }],
              percent,
            );
          const further = now >= old ? now + more : Math.max(1, now - more);
          const isBelieved = judge(now) === null;
          return isBelieved === Math.abs(now - old) * 100 <= old * percent && (isBelieved || judge(further) !== null);
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

describe('what a report makes of a price', () => {
  const GUARD = { maxChangePercent: 70, confirmAfterSeconds: 5 };
  const at = (seconds: number): Date => new Date(Date.UTC(2025, 10, 23, 12, 0, seconds));
  const report = (bands: PriceBand[], seconds: number, isAskedById = true): PriceReport => ({
    bands,
    requestedAt: at(seconds),
    isAskedById,
  });
  const known: GuardedPrice = { accepted: single('6.32'), unconfirmed: null };
  const doubted: GuardedPrice = {
    accepted: single('6.32'),
    unconfirmed: { bands: single('0.07'), since: at(0), reason: 'price_changed' },
  };

  it('is accepted at once where nothing is known, and where it is plausible', () => {
    const accepted = { price: { accepted: single('7.00'), unconfirmed: null }, event: null };
    expect(guardPrice(null, report(single('7.00'), 0, false), GUARD)).toEqual(accepted);
    expect(guardPrice(known, report(single('7.00'), 0, false), GUARD)).toEqual(accepted);
  });

  it('is kept beside the accepted one where it is not plausible', () => {
    expect(guardPrice(known, report(single('0.07'), 0), GUARD)).toEqual({
      price: doubted,
      event: { kind: 'suspected', reason: 'price_changed' },
    });
  });

  it('is accepted when it is seen again after the interval in an answer to a question for this product', () => {
    expect(guardPrice(doubted, report(single('0.07'), 5), GUARD)).toEqual({
      price: { accepted: single('0.07'), unconfirmed: null },
      event: { kind: 'confirmed' },
    });
  });

  it.each<[what: string, report: PriceReport]>([
    ['too soon', report(single('0.07'), 4)],
    ['in the feed, however late', report(single('0.07'), 4000, false)],
  ])('stays as it is when it is seen again %s', (_what, again) => {
    expect(guardPrice(doubted, again, GUARD)).toEqual({ price: doubted, event: null });
  });

  it('begins anew with another suspicious price', () => {
    expect(guardPrice(doubted, report(single('0.08'), 60), GUARD)).toEqual({
      price: { ...doubted, unconfirmed: { bands: single('0.08'), since: at(60), reason: 'price_changed' } },
      event: { kind: 'suspected', reason: 'price_changed' },
    });
  });

  it('is withdrawn by a plausible one, be it the old one or not', () => {
    for (const price of ['6.32', '6.50']) {
      expect(guardPrice(doubted, report(single(price), 1, false), GUARD)).toEqual({
        price: { accepted: single(price), unconfirmed: null },
        event: { kind: 'withdrawn' },
      });
    }
  });

  it('is never accepted where there is none: the next one is still measured by the last that was', () => {
    const missing = guardPrice(known, report([], 0), GUARD).price;
    const later = guardPrice(missing, report([], 3600), GUARD);
    expect(later).toEqual({ price: missing, event: null });
    expect(guardPrice(later.price, report(single('0.07'), 3605), GUARD).price.accepted).toEqual(single('6.32'));
  });

  it('never changes the accepted price implausibly but by an identical, later report', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyPrices, fc.nat({ max: 8 }), fc.boolean(), fc.boolean()), { maxLength: 12 }),
        (reports) => {
          let price: GuardedPrice = { accepted: single('6.32'), unconfirmed: null };
          let seconds = 0;
          for (const [fresh, delay, isAskedById, isRepeated] of reports) {
            seconds += delay;
            const bands = isRepeated && price.unconfirmed !== null ? [...price.unconfirmed.bands] : fresh;
            const before = price;
            price = guardPrice(before, report(bands, seconds, isAskedById), GUARD).price;
            const isOneOfBoth = [before.accepted, bands].some((each) => isDeepStrictEqual(each, price.accepted));
            if (!isOneOfBoth) throw new Error('accepted a price that is neither the former nor the reported one');
            if (judgePriceBands(before.accepted, price.accepted, GUARD.maxChangePercent) === null) continue;
            const isRepetition =
              isDeepStrictEqual(before.unconfirmed?.bands, bands) &&
              isAskedById &&
              seconds * 1000 >= before.unconfirmed!.since.getTime() - at(0).getTime() + 5000;
            if (!isRepetition) throw new Error(`accepted an implausible price after ${seconds} s`);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('a supplier at worst', () => {
  const supplier: SupplierOffer = { cwsProductId: 'a', bands: single('6.32'), available: 9, isReleased: true };

  it('is itself while nothing is unconfirmed', () => {
    expect(atWorst(supplier)).toBe(supplier);
    const settled = { ...supplier, unconfirmedBands: null };
    expect(atWorst(settled)).toBe(settled);
  });

  it('costs at each quantity the dearer of both prices, and is not to be had where one is missing', () => {
    fc.assert(
      fc.property(anyPrices, anyPrices, (bands, unconfirmedBands) => {
        const worst = atWorst({ ...supplier, bands, unconfirmedBands });
        const expected = QUANTITIES.map((quantity) => {
          const one = unitPriceFor(bands, quantity);
          const other = unitPriceFor(unconfirmedBands, quantity);
          return one === null || other === null ? null : Math.max(one, other);
        });
        return QUANTITIES.every((quantity, index) => unitPriceFor(worst.bands, quantity) === expected[index]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is not to be had for an unconfirmed price of zero', () => {
    expect(atWorst({ ...supplier, unconfirmedBands: single('0') }).bands).toEqual([]);
  });
});
