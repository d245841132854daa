import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { cents, formatCents, parseCents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import { cheapestSupplier, deliverableUnitPrice, unitPriceFor } from './supplier-choice.rules.js';
import type { SupplierOffer } from './supplier-choice.rules.js';

const band = (fromQuantity: number, toQuantity: number | null, price: string): PriceBand => ({
  fromQuantity,
  toQuantity,
  unitPrice: parseCents(price, 'exact'),
});
const supplier = (cwsProductId: string, price: string, available: number, isReleased = true): SupplierOffer => ({
  cwsProductId,
  bands: [band(1, null, price)],
  available,
  isReleased,
});

const anyBand: fc.Arbitrary<PriceBand> = fc.record({
  fromQuantity: fc.integer({ min: 1, max: 6 }),
  toQuantity: fc.option(fc.integer({ min: 1, max: 8 })),
  unitPrice: fc.integer({ min: -1, max: 6 }).map(cents),
});
const anySuppliers: fc.Arbitrary<SupplierOffer[]> = fc
  .array(
    fc.record({
      bands: fc.array(anyBand, { maxLength: 4 }),
      available: fc.integer({ min: -2, max: 8 }),
      isReleased: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((suppliers) => suppliers.map((s, index) => ({ ...s, cwsProductId: `supplier-${String(index)}` })));

describe('the unit price for a quantity', () => {
  const bands = [band(10, 49, '6.10'), band(1, 9, '6.32'), band(50, null, '5.80')];

  it.each([
    [1, '6.32'],
    [9, '6.32'],
    [10, '6.10'],
    [49, '6.10'],
    [50, '5.80'],
    [10_000, '5.80'],
  ])('of %i pieces is that of the band containing it, %s, whatever the order of the bands', (quantity, price) => {
    expect(formatCents(unitPriceFor(bands, quantity)!)).toBe(price);
  });

  it('is unknown outside of every band', () => {
    expect(unitPriceFor([], 1)).toBeNull();
    expect(unitPriceFor([band(2, 9, '6.32')], 1)).toBeNull();
    expect(unitPriceFor([band(1, 9, '6.32')], 10)).toBeNull();
  });

  it('is the dearer one where bands overlap', () => {
    expect(unitPriceFor([band(1, 10, '6.10'), band(1, 9, '6.32'), band(5, null, '6.00')], 7)).toBe(632);
  });
});

describe('the cheapest supplier', () => {
  it.each<[what: string, suppliers: SupplierOffer[], chosen: string | null]>([
    ['the cheaper of two', [supplier('a', '6.50', 5), supplier('b', '6.32', 5)], 'b'],
    ['the dearer when the cheaper is out of stock', [supplier('a', '6.50', 5), supplier('b', '6.32', 0)], 'a'],
    ['the dearer when more of the cheaper is held than shown', [supplier('a', '6.50', 5), supplier('b', '1', -3)], 'a'],
    ['the dearer when the cheaper is not released', [supplier('a', '6.50', 5), supplier('b', '6.32', 5, false)], 'a'],
    ['the first of the mapping among equals', [supplier('a', '6.32', 1), supplier('b', '6.32', 99)], 'a'],
    ['not one whose price is zero', [supplier('a', '0', 5), supplier('b', '6.32', 5)], 'b'],
    ['not one whose price is negative', [supplier('a', '-6', 5), supplier('b', '6.32', 5)], 'b'],
    ['nobody when all are empty', [supplier('a', '6.32', 0)], null],
    ['nobody when there is none', [], null],
  ])('is %s', (_what, suppliers, chosen) => {
    expect(cheapestSupplier(suppliers)?.cwsProductId ?? null).toBe(chosen);
  });

  it('of one key is not chosen by its bulk price', () => {
    const bulk: SupplierOffer = { ...supplier('bulk', '9', 99), bands: [band(1, 9, '7.00'), band(10, null, '5.00')] };
    const flat = supplier('flat', '6.32', 99);
    expect(cheapestSupplier([bulk, flat])).toEqual({ cwsProductId: 'flat', unitPrice: 632 });
    expect(cheapestSupplier([bulk, flat], 10)).toEqual({ cwsProductId: 'bulk', unitPrice: 500 });
  });

  it('must hold the whole quantity', () => {
    expect(cheapestSupplier([supplier('a', '6.32', 2), supplier('b', '6.50', 3)], 3)?.cwsProductId).toBe('b');
  });

  it('is the true minimum by brute force, and the first of those', () => {
    fc.assert(
      fc.property(anySuppliers, fc.integer({ min: 1, max: 8 }), (suppliers, quantity) => {
        const candidates = suppliers
          .filter((s) => s.isReleased && s.available >= quantity)
          .map((s) => ({
            cwsProductId: s.cwsProductId,
            unitPrice: Math.max(
              -1,
              ...s.bands
                .filter((b) => quantity >= b.fromQuantity && quantity <= (b.toQuantity ?? Infinity))
                .map((b) => b.unitPrice),
            ),
          }))
          .filter((c) => c.unitPrice > 0)
          .sort((a, b) => a.unitPrice - b.unitPrice || a.cwsProductId.localeCompare(b.cwsProductId));
        return isDeepStrictEqual(cheapestSupplier(suppliers, quantity), candidates[0] ?? null);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('the deliverable unit price', () => {
  it.each<[what: string, offer: SupplierOffer, price: number | null]>([
    ['that of the quantity when stock suffices', supplier('a', '6.32', 3), 632],
    ['unknown when stock is short', supplier('a', '6.32', 2), null],
    ['unknown before release', supplier('a', '6.32', 3, false), null],
    ['unknown, not free, at a price of zero', supplier('a', '0', 3), null],
  ])('is %s', (_what, offer, price) => {
    expect(deliverableUnitPrice(offer, 3)).toBe(price);
  });
});
