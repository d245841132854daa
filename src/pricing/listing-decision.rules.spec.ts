import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { cents, parseCents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { decideListing } from './listing-decision.rules.js';
import type { ListingDecision, ListingInput } from './listing-decision.rules.js';
import { listingPrice, netIncome, requiredProfit } from './listing-price.rules.js';
import { parseFeeRate, parseProfitPercent } from './pricing-terms.js';
import type { FeeRate, PriceBounds, PricingTerms, ProfitPercent } from './pricing-terms.js';
import { cheapestSupplier } from './supplier-choice.rules.js';
import type { SupplierOffer } from './supplier-choice.rules.js';

const TERMS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
};
const supplier = (cwsProductId: string, price: string, available: number, isReleased = true): SupplierOffer => ({
  cwsProductId,
  bands: [{ fromQuantity: 1, toQuantity: null, unitPrice: parseCents(price, 'exact') }],
  available,
  isReleased,
});

function decide(suppliers: SupplierOffer[], input: Partial<ListingInput> = {}): ListingDecision {
  return decideListing({ suppliers, terms: TERMS, stockBuffer: 0, maxDeclaredStock: 10_000, ...input });
}

describe('the decision about a listing', () => {
  it('prices a single key at the cheapest supplier with stock and tells what it earns', () => {
    expect(decide([supplier('empty', '5.00', 0), supplier('stocked', '6.32', 12)])).toEqual({
      isSellable: true,
      price: 803,
      businessPrice: 803,
      cost: 632,
      cwsProductId: 'stocked',
      profit: 50,
      size: 12,
    });
  });

  it('prices a single key by the single band, however cheap the bulk band is', () => {
    const bulk: SupplierOffer = {
      ...supplier('a', '0', 216),
      bands: [
        { fromQuantity: 10, toQuantity: null, unitPrice: cents(400) },
        { fromQuantity: 1, toQuantity: 9, unitPrice: cents(632) },
      ],
    };
    expect(decide([bulk])).toMatchObject({ price: 803, cost: 632 });
  });

  it.each<[what: string, suppliers: SupplierOffer[], input: Partial<ListingInput>, reason: string]>([
    ['no supplier', [], {}, 'out_of_stock'],
    ['no stock', [supplier('a', '6.32', 0)], {}, 'out_of_stock'],
    ['only stock that is not released', [supplier('a', '6.32', 9, false)], {}, 'out_of_stock'],
    ['only stock within the buffer', [supplier('a', '6.32', 2)], { stockBuffer: 2 }, 'out_of_stock'],
    ['stock without a price', [{ ...supplier('a', '1', 9), bands: [] }], {}, 'no_price'],
    ['stock at a price of zero', [supplier('a', '0', 9)], {}, 'no_price'],
    [
      'a profitable price above our maximum',
      [supplier('a', '6.32', 9)],
      { terms: { ...TERMS, maxPrice: cents(802) } },
      'price_above_maximum',
    ],
    [
      'a profitable price above the marketplace’s maximum',
      [supplier('a', '6.32', 9)],
      { marketplaceBounds: { minPrice: null, maxPrice: cents(802) } },
      'price_above_maximum',
    ],
  ])('stops selling with %s', (_what, suppliers, input, reason) => {
    expect(decide(suppliers, input)).toEqual({ isSellable: false, reason });
  });

  it.each<[what: string, suppliers: SupplierOffer[], input: Partial<ListingInput>, size: number]>([
    ['1 key at 5.00 and 200 at 9.00', [supplier('a', '5.00', 1), supplier('b', '9.00', 200)], {}, 1],
    [
      'a dearer supplier that just pays for itself (6.47 brings 5.49)',
      [supplier('a', '4.99', 1), supplier('b', '5.49', 200)],
      {},
      201,
    ],
    ['a dearer supplier that loses a cent', [supplier('a', '4.99', 1), supplier('b', '5.50', 200)], {}, 1],
    [
      'a minimum price that pays both suppliers',
      [supplier('a', '5.00', 1), supplier('b', '9.00', 200)],
      { terms: { ...TERMS, minPrice: cents(1_200) } },
      201,
    ],
    ['a supplier that owes keys beside one with stock', [supplier('a', '5.00', 3), supplier('b', '5.00', -2)], {}, 3],
    [
      'a supplier that is not released beside one that is',
      [supplier('a', '5.00', 3), supplier('b', '5.00', 9, false)],
      {},
      3,
    ],
    ['a buffer', [supplier('a', '5.00', 10)], { stockBuffer: 3 }, 7],
    ['more than is declared at most', [supplier('a', '5.00', 999)], { maxDeclaredStock: 100 }, 100],
    [
      'a buffer beyond what is declared at most',
      [supplier('a', '5.00', 999)],
      { stockBuffer: 3, maxDeclaredStock: 100 },
      100,
    ],
  ])('declares the stock of %s', (_what, suppliers, input, size) => {
    expect(decide(suppliers, input)).toMatchObject({ isSellable: true, size });
  });

  it('raises to the charm ending and counts it as profit', () => {
    const terms: PricingTerms = { ...TERMS, charmEnding: '.99' };
    expect(decide([supplier('a', '6.32', 1)], { terms })).toMatchObject({ price: 899, profit: 132 });
  });

  describe('while a supplier’s price is unconfirmed', () => {
    const doubted = (
      cwsProductId: string,
      price: string,
      available: number,
      unconfirmed: string | null,
    ): SupplierOffer => ({
      ...supplier(cwsProductId, price, available),
      unconfirmedBands:
        unconfirmed === null
          ? []
          : [{ fromQuantity: 1, toQuantity: null, unitPrice: parseCents(unconfirmed, 'exact') }],
    });

    it('does not follow it down', () => {
      expect(decide([doubted('a', '6.32', 9, '0.07')])).toMatchObject({ price: 803, cost: 632, size: 9 });
    });

    it('goes on at the accepted price as long as that pays the unconfirmed one (8.03 brings 6.82)', () => {
      expect(decide([doubted('a', '6.32', 9, '6.82')])).toMatchObject({ price: 803, cost: 632, size: 9 });
    });

    it('stops where a cent would be lost, and where no price is shown', () => {
      const stopped = { isSellable: false, reason: 'price_unconfirmed' };
      expect(decide([doubted('a', '6.32', 9, '6.83')])).toEqual(stopped);
      expect(decide([doubted('a', '6.32', 9, null)])).toEqual(stopped);
      expect(decide([doubted('a', '6.32', 9, '0')])).toEqual(stopped);
      expect(decide([doubted('a', '6.32', 0, '6.83')])).toEqual({ isSellable: false, reason: 'out_of_stock' });
    });

    it('goes on with the next supplier, and declares what is paid for even if the price is true', () => {
      const others = [supplier('b', '7.00', 5)];
      // (7.00 + 0.50) / 0.85 = 8.83 brings 7.50.
      expect(decide([doubted('a', '6.32', 9, '12.00'), ...others])).toMatchObject({
        cwsProductId: 'b',
        price: 883,
        size: 5,
      });
      expect(decide([doubted('a', '6.32', 9, '7.40'), ...others])).toMatchObject({
        cwsProductId: 'b',
        price: 883,
        size: 14,
      });
    });

    it('loses on no declared key, whether it is true or not', () => {
      const price = fc.integer({ min: 1, max: 3_000 });
      const anySuppliers = fc.array(
        fc.record({ price, unconfirmed: fc.option(price), available: fc.integer({ min: 0, max: 9 }) }),
        { maxLength: 4 },
      );
      const bands = (unitPrice: number) => [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(unitPrice) }];
      fc.assert(
        fc.property(anySuppliers, (specs) => {
          const decision = decide(
            specs.map((spec, index) => ({
              cwsProductId: String(index),
              bands: bands(spec.price),
              unconfirmedBands: spec.unconfirmed === null ? null : bands(spec.unconfirmed),
              available: spec.available,
              isReleased: true,
            })),
          );
          if (!decision.isSellable) return true;
          const income = netIncome(decision.price, TERMS);
          const paidFor = specs.filter((spec) => Math.max(spec.price, spec.unconfirmed ?? 0) <= income);
          const keys = paidFor.reduce((sum, { available }) => sum + available, 0);
          return decision.size === keys && paidFor.includes(specs[Number(decision.cwsProductId)]!);
        }),
        { numRuns: 10_000 },
      );
    });
  });

  it('keeps profit, bounds and the size rule for any product', () => {
    const amount = (min: number, max: number): fc.Arbitrary<Cents> => fc.integer({ min, max }).map(cents);
    const bounds: fc.Arbitrary<PriceBounds> = fc.record({
      minPrice: fc.option(amount(1, 3_000)),
      maxPrice: fc.option(amount(1_000, 9_000)),
    });
    const anyTerms: fc.Arbitrary<PricingTerms> = fc
      .record({
        fixedProfit: amount(0, 200),
        profitPercent: fc.integer({ min: 0, max: 500_000 }).map((millionths) => millionths as ProfitPercent),
        feePercentage: fc.integer({ min: 0, max: 500_000 }).map((millionths) => millionths as FeeRate),
        feeFixed: amount(0, 50),
        charmEnding: fc.constantFrom('.99' as const, '.49' as const, null),
      })
      .chain((t) => bounds.map((b) => ({ ...t, ...b })));
    const anySuppliers = fc.array(
      fc.record({
        unitPrice: amount(0, 2_000),
        available: fc.integer({ min: -3, max: 40 }),
        isReleased: fc.boolean(),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(
        anySuppliers,
        anyTerms,
        bounds,
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (offers, terms, marketplaceBounds, stockBuffer, maxDeclaredStock) => {
          const suppliers = offers.map(({ unitPrice, ...offer }, index) => ({
            ...offer,
            cwsProductId: String(index),
            bands: [{ fromQuantity: 1, toQuantity: null, unitPrice }],
          }));
          const decision = decideListing({ suppliers, terms, stockBuffer, maxDeclaredStock, marketplaceBounds });
          const cheapest = cheapestSupplier(suppliers);
          if (cheapest === null) {
            const hasStock = offers.some((o) => o.isReleased && o.available > 0);
            return isDeepStrictEqual(decision, { isSellable: false, reason: hasStock ? 'no_price' : 'out_of_stock' });
          }
          const lowest = Math.max(
            listingPrice(cheapest.unitPrice, terms),
            terms.minPrice ?? 0,
            marketplaceBounds.minPrice ?? 0,
          );
          const highest = Math.min(terms.maxPrice ?? Infinity, marketplaceBounds.maxPrice ?? Infinity);
          if (lowest > highest) {
            return isDeepStrictEqual(decision, { isSellable: false, reason: 'price_above_maximum' });
          }
          const keysAt = (price: Cents): number =>
            offers
              .filter((o) => o.isReleased && o.available > 0 && o.unitPrice > 0)
              .filter((o) => o.unitPrice <= netIncome(price, terms))
              .reduce((sum, o) => sum + o.available, 0);
          if (!decision.isSellable) {
            return decision.reason === 'out_of_stock' && keysAt(cents(lowest)) <= stockBuffer;
          }
          const { price, cost, profit, size } = decision;
          if (!isDeepStrictEqual({ cwsProductId: decision.cwsProductId, unitPrice: cost }, cheapest)) {
            throw new Error(`not from the cheapest supplier: ${JSON.stringify(decision)}`);
          }
          if (!(price >= lowest && price <= highest))
            throw new Error(`${price} is not within ${lowest} and ${highest}`);
          if (!(profit === netIncome(price, terms) - cost && profit >= requiredProfit(cost, terms))) {
            throw new Error(`a profit of ${profit} is wrong or too little`);
          }
          return size === Math.min(maxDeclaredStock, keysAt(price) - stockBuffer) && size >= 1;
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
