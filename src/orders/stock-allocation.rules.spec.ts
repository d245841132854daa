import fc from 'fast-check';
import { type Cents, cents, NO_CENTS } from '../money/cents.js';
import { keepsFloor, netIncome } from '../pricing/listing-price.rules.js';
import { parseFeeRate, parseProfitPercent, type PricingTerms } from '../pricing/pricing-terms.js';
import { type SupplierOffer, unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { allocateStock } from './stock-allocation.rules.js';

const terms: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: NO_CENTS,
  minPrice: null,
  maxPrice: null,
};
// 8.03 brings 6.82 after 15 %.
const salePrice = cents(803);

function supplier(cwsProductId: string, available: number, unitPrice: number, bulk?: [number, number]): SupplierOffer {
  const bands =
    bulk === undefined
      ? [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(unitPrice) }]
      : [
          { fromQuantity: 1, toQuantity: bulk[0] - 1, unitPrice: cents(unitPrice) },
          { fromQuantity: bulk[0], toQuantity: null, unitPrice: cents(bulk[1]) },
        ];
  return { cwsProductId, available, bands, isReleased: true };
}

const allocate = (quantity: number, suppliers: SupplierOffer[], maxLoss: Cents = NO_CENTS) =>
  allocateStock({ quantity, suppliers, saleIncome: netIncome(salePrice, terms), maxLoss });

describe('allocating stock to a sale', () => {
  it('takes the cheapest supplier that has stock', () => {
    expect(allocate(1, [supplier('a', 5, 640), supplier('b', 5, 632), supplier('c', 0, 500)])).toEqual({
      allocations: [{ cwsProductId: 'b', quantity: 1, unitPrice: 632 }],
      missing: 0,
      isTooDear: false,
    });
  });

  it('splits only where one supplier does not have enough', () => {
    expect(allocate(3, [supplier('a', 5, 640), supplier('b', 2, 632)]).allocations).toEqual([
      { cwsProductId: 'b', quantity: 2, unitPrice: 632 },
      { cwsProductId: 'a', quantity: 1, unitPrice: 640 },
    ]);
  });

  it('never takes what costs more than the sale brings, to the cent', () => {
    expect(allocate(1, [supplier('a', 5, 682)]).missing).toBe(0);
    expect(allocate(1, [supplier('a', 5, 683)])).toEqual({
      allocations: [],
      missing: 1,
      isTooDear: true,
    });
  });

  it('accepts a loss up to the limit that the owner set', () => {
    expect(allocate(1, [supplier('a', 5, 692)], cents(10)).missing).toBe(0);
    expect(allocate(1, [supplier('a', 5, 693)], cents(10)).missing).toBe(1);
  });

  it('does not count on the bulk price for a part that is too small for it', () => {
    const bulkOnly = (id: string, available: number) => supplier(id, available, 700, [10, 600]);
    // 12 of 15 would be in the bulk band at 'a', the other 3 would be dear at 'b'.
    expect(allocate(15, [bulkOnly('a', 12), bulkOnly('b', 12)])).toMatchObject({ missing: 3 });
  });

  it('passes over a cheaper supplier, or takes less from it, where the rest could not be bought otherwise', () => {
    const cheap = supplier('a', 12, 700, [10, 600]);
    expect(allocate(15, [cheap, supplier('b', 20, 700, [10, 610])])).toMatchObject({
      allocations: [{ cwsProductId: 'b', quantity: 15, unitPrice: 610 }],
      missing: 0,
    });
    expect(allocate(15, [cheap, supplier('b', 8, 700, [5, 610])])).toMatchObject({
      allocations: [
        { cwsProductId: 'a', quantity: 10, unitPrice: 600 },
        { cwsProductId: 'b', quantity: 5, unitPrice: 610 },
      ],
      missing: 0,
    });
  });

  it('takes what a supplier has a price for, where it has none for all that is wanted', () => {
    const upToTen = {
      ...supplier('a', 50, 600),
      bands: [{ fromQuantity: 1, toQuantity: 10, unitPrice: cents(600) }],
    };
    expect(allocate(12, [upToTen, supplier('b', 2, 610)])).toMatchObject({
      allocations: [
        { cwsProductId: 'a', quantity: 10 },
        { cwsProductId: 'b', quantity: 2 },
      ],
      missing: 0,
    });
  });

  it('says how much is missing when there is not enough', () => {
    expect(allocate(4, [supplier('a', 3, 632)])).toMatchObject({ missing: 1, isTooDear: false });
  });

  const anySupplier = fc.record({
    available: fc.integer({ min: -2, max: 30 }),
    unitPrice: fc.integer({ min: 0, max: 1000 }),
    bulkFrom: fc.integer({ min: 2, max: 20 }),
    bulkPrice: fc.integer({ min: 1, max: 1000 }),
  });
  const suppliersFrom = (specs: { available: number; unitPrice: number; bulkFrom: number; bulkPrice: number }[]) =>
    specs.map((spec, index) =>
      supplier(String(index), spec.available, spec.unitPrice, [spec.bulkFrom, spec.bulkPrice]),
    );

  it('misses nothing that some split could deliver', () => {
    /** The most that can be had, found by trying every split. */
    const most = (suppliers: readonly SupplierOffer[], wanted: number): number => {
      const [first, ...others] = suppliers;
      if (first === undefined) return 0;
      let best = most(others, wanted);
      for (let part = 1; part <= Math.min(first.available, wanted); part += 1) {
        const price = unitPriceFor(first.bands, part);
        if (price === null || price <= 0 || !keepsFloor(price, netIncome(salePrice, terms), NO_CENTS)) continue;
        best = Math.max(best, part + most(others, wanted - part));
      }
      return best;
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), fc.array(anySupplier, { maxLength: 3 }), (quantity, specs) => {
        const suppliers = suppliersFrom(specs);
        return quantity - allocate(quantity, suppliers).missing === most(suppliers, quantity);
      }),
      { numRuns: 500 },
    );
  });

  it('counts an unconfirmed price where it is dearer, and takes nothing whose price is not known', () => {
    const doubted = (id: string, unconfirmed: number[]): SupplierOffer => ({
      ...supplier(id, 5, 600),
      unconfirmedBands: unconfirmed.map((price) => ({ fromQuantity: 1, toQuantity: null, unitPrice: cents(price) })),
    });
    expect(allocate(1, [doubted('risen', [683]), doubted('missing', []), supplier('b', 5, 650)]).allocations).toEqual([
      { cwsProductId: 'b', quantity: 1, unitPrice: 650 },
    ]);
    expect(allocate(1, [doubted('fallen', [10])]).allocations).toEqual([
      { cwsProductId: 'fallen', quantity: 1, unitPrice: 600 },
    ]);
  });

  it('keeps its promises for any suppliers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(anySupplier, { maxLength: 4 }), (quantity, specs) => {
        const suppliers = suppliersFrom(specs);
        const { allocations, missing } = allocate(quantity, suppliers);
        const taken = allocations.reduce((sum, allocation) => sum + allocation.quantity, 0);
        if (taken + missing !== quantity) throw new Error(`${taken} are taken and ${missing} missing`);
        for (const allocation of allocations) {
          const source = suppliers.find(({ cwsProductId }) => cwsProductId === allocation.cwsProductId)!;
          const isKept =
            allocation.quantity > 0 &&
            allocation.quantity <= source.available &&
            unitPriceFor(source.bands, allocation.quantity) === allocation.unitPrice &&
            keepsFloor(allocation.unitPrice, netIncome(salePrice, terms), NO_CENTS);
          if (!isKept) throw new Error(`${JSON.stringify(allocation)} cannot be had, or is too dear`);
        }
        return new Set(allocations.map(({ cwsProductId }) => cwsProductId)).size === allocations.length;
      }),
      { numRuns: 5000 },
    );
  });
});
