import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type Cents, cents, formatCents } from '../money/cents.js';
import { explainListing } from './explain.rules.js';
import { decideListing, type ListingInput } from './listing-decision.rules.js';
import { CHARM_ENDINGS, parseFeeRate, parseProfitPercent, type PricingTerms } from './pricing-terms.js';
import type { SupplierOffer } from './supplier-choice.rules.js';

const TERMS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
};

function supplier(cwsProductId: string, unitPrice: number, rest: Partial<SupplierOffer> = {}): SupplierOffer {
  const bands = [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(unitPrice) }];
  return { cwsProductId, bands, available: 20, isReleased: true, ...rest };
}

function explain(suppliers: readonly SupplierOffer[], rest: Partial<ListingInput> = {}) {
  return explainListing({ suppliers, terms: TERMS, stockBuffer: 0, maxDeclaredStock: 999, ...rest });
}

function verdicts(suppliers: readonly SupplierOffer[], rest: Partial<ListingInput> = {}) {
  return explain(suppliers, rest).suppliers.map(({ supplier: { cwsProductId }, verdict }) => [cwsProductId, verdict]);
}

/** The steps as an accountant would write them down. */
function steps(cost: number, terms: Partial<PricingTerms>, rest: Partial<ListingInput> = {}) {
  const { calculation } = explain([supplier('a', cost)], { terms: { ...TERMS, ...terms }, ...rest });
  const [retail] = calculation!.prices;
  const text = (amount: Cents | null) => (amount === null ? '-' : formatCents(amount));
  return [
    text(calculation!.profit.required),
    calculation!.unroundedPrice,
    text(calculation!.roundedPrice),
    text(retail!.simulatedPrice),
    text(retail!.boundedPrice),
    text(retail!.charmingPrice),
    text(retail!.price),
    text(retail!.income),
  ].join(' ');
}

describe('the explanation of a price', () => {
  it.each<[string, number, Partial<PricingTerms>, Partial<ListingInput>, string]>([
    ['8.0235… is rounded up', 632, {}, {}, '0.50 8.02352… 8.03 8.03 8.03 8.03 8.03 6.82'],
    [
      '8.50 needs no rounding',
      630,
      { feePercentage: parseFeeRate('0.2') },
      {},
      '0.50 8.50 8.50 8.50 8.50 8.50 8.50 6.80',
    ],
    [
      '10 % of cost',
      2000,
      { profitPercent: parseProfitPercent('10') },
      {},
      '2.00 25.88235… 25.89 25.89 25.89 25.89 25.89 22.00',
    ],
    ['a fixed fee', 632, { feeFixed: cents(35) }, {}, '0.50 8.43529… 8.44 8.44 8.44 8.44 8.44 6.82'],
    ['less than a euro', 1, { fixedProfit: cents(0) }, {}, '0.00 0.01176… 0.02 0.02 0.02 0.02 0.02 0.01'],
    ['a minimum', 632, { minPrice: cents(900) }, {}, '0.50 8.02352… 8.03 8.03 9.00 9.00 9.00 7.65'],
    ['a charm ending', 632, { charmEnding: '.99' }, {}, '0.50 8.02352… 8.03 8.03 8.03 8.99 8.99 7.64'],
    [
      'an ending above the maximum',
      632,
      { charmEnding: '.99', maxPrice: cents(850) },
      {},
      '0.50 8.02352… 8.03 8.03 8.03 8.03 8.03 6.82',
    ],
    ['a maximum below', 632, { maxPrice: cents(800) }, {}, '0.50 8.02352… 8.03 8.03 - - - -'],
    [
      'a real fee of 20 %',
      632,
      {},
      { simulations: { retail: [{ price: cents(803), income: cents(642) }], business: [] } },
      '0.50 8.02352… 8.03 8.54 8.54 8.54 8.54 6.82',
    ],
  ])('has every step: %s', (_, cost, terms, rest, expected) => {
    expect(steps(cost, terms, rest)).toBe(expected);
  });

  it('says which of the two profits counts', () => {
    const terms = { ...TERMS, profitPercent: parseProfitPercent('7.5') };
    expect(explain([supplier('a', 600)], { terms }).calculation!.profit).toEqual({
      fixed: 50,
      percent: '7.5',
      share: 45,
      required: 50,
    });
  });

  it('tells consumers and companies apart, and the real fee of each', () => {
    const simulations = {
      retail: [{ price: cents(803), income: cents(682) }],
      business: [{ price: cents(803), income: cents(642) }],
    };
    const { prices, deliverable } = explain([supplier('a', 632)], { simulations }).calculation!;
    expect(prices).toMatchObject([
      { audience: 'retail', price: 803, simulatedIncome: 682, simulations: [{ feePercentage: '0.150685' }] },
      { audience: 'business', price: 854, simulatedIncome: 642, simulations: [{ feePercentage: '0.200499' }] },
    ]);
    expect(deliverable).toBe(20);
    expect(explain([supplier('a', 632)], { simulations, visibility: 'business' }).calculation!.prices).toMatchObject([
      { audience: 'business', price: 854 },
    ]);
  });

  it('says of every supplier what it is, in the order of the mapping, stale ones last', () => {
    const suppliers = [
      supplier('empty', 100, { available: 0 }),
      supplier('unpriced', 0),
      supplier('rising', 500, { unconfirmedBands: [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(5000) }] }),
      supplier('dear', 700),
      supplier('first', 632),
      supplier('equal', 632),
    ];
    expect(verdicts(suppliers)).toEqual([
      ['empty', 'out_of_stock'],
      ['unpriced', 'no_price'],
      ['rising', 'price_unconfirmed'],
      ['dear', 'not_cheapest'],
      ['first', 'chosen'],
      ['equal', 'not_cheapest'],
    ]);
    const input = { suppliers: [supplier('a', 632)], terms: TERMS, stockBuffer: 0, maxDeclaredStock: 999 };
    expect(explainListing(input, [supplier('old', 100)]).suppliers).toMatchObject([
      { verdict: 'chosen' },
      { verdict: 'stale', unitPrice: 100 },
    ]);
  });

  it('calculates with the supplier that is used also when its price is above a maximum, or its keys are all in the buffer', () => {
    const maximum = explain([supplier('a', 632)], { terms: { ...TERMS, maxPrice: cents(800) } });
    expect(maximum).toMatchObject({
      decision: { isSellable: false, reason: 'price_above_maximum' },
      calculation: { cwsProductId: 'a', prices: [{ obstacle: 'price_above_maximum' }, {}], deliverable: null },
    });
    expect(explain([supplier('a', 632)], { stockBuffer: 20 })).toMatchObject({
      decision: { isSellable: false, reason: 'out_of_stock' },
      calculation: { cwsProductId: 'a', deliverable: 20 },
      stockBuffer: 20,
    });
  });

  it('has no calculation when nobody can deliver', () => {
    expect(explain([supplier('a', 632, { available: 0 })])).toMatchObject({ calculation: null });
    expect(explain([])).toMatchObject({ calculation: null, suppliers: [] });
  });

  it('ends in what is decided, whatever the numbers', () => {
    const amount = (min: number, max: number) => fc.integer({ min, max }).map(cents);
    const bands = fc
      .option(amount(0, 3_000), { freq: 20 })
      .map((unitPrice) => (unitPrice === null ? [] : [{ fromQuantity: 1, toQuantity: null, unitPrice }]));
    const suppliers = fc.uniqueArray(
      fc.record({
        cwsProductId: fc.constantFrom('a', 'b', 'c', 'd'),
        bands,
        unconfirmedBands: fc.option(bands, { freq: 2 }),
        available: fc.integer({ min: -1, max: 30 }),
        isReleased: fc.constant(true),
      }),
      { selector: ({ cwsProductId }) => cwsProductId },
    );
    const simulations = fc
      .option(fc.record({ price: amount(1, 5_000), keeps: fc.integer({ min: -10, max: 100 }) }))
      .map((one) =>
        one === null ? [] : [{ price: one.price, income: cents(Math.floor((one.price * one.keeps) / 100)) }],
      );
    const terms = fc.record({
      fixedProfit: amount(0, 300),
      profitPercent: fc.constantFrom('0', '7.5', '40').map((text) => parseProfitPercent(text)),
      feePercentage: fc.constantFrom('0', '0.15', '0.6').map((text) => parseFeeRate(text)),
      feeFixed: amount(0, 60),
      minPrice: fc.option(amount(1, 1_000)),
      maxPrice: fc.option(amount(1_000, 5_000)),
      charmEnding: fc.option(fc.constantFrom(...CHARM_ENDINGS)),
    });
    const input: fc.Arbitrary<ListingInput> = fc.record({
      suppliers,
      terms,
      stockBuffer: fc.integer({ min: 0, max: 3 }),
      maxDeclaredStock: fc.constantFrom(1, 999),
      visibility: fc.constantFrom('all' as const, 'retail' as const, 'business' as const),
      simulations: fc.record({ retail: simulations, business: simulations }),
    });
    fc.assert(
      fc.property(input, (listing) => {
        const { decision, calculation, suppliers: explained } = explainListing(listing);
        if (!isDeepStrictEqual(decision, decideListing(listing))) throw new Error('it explains another decision');
        const chosen = explained.filter(({ verdict }) => verdict === 'chosen').length;
        if (chosen !== (calculation === null ? 0 : 1)) throw new Error(`${chosen} suppliers are chosen`);
        if (calculation !== null) {
          const above = calculation.roundedPrice - Number(calculation.unroundedPrice.replace('…', '')) * 100;
          if (!(above > -1e-6 && above < 1)) throw new Error(`rounding adds ${above} cents`);
        }
        if (!decision.isSellable) {
          const obstacles: unknown[] = calculation?.prices.map(({ obstacle }) => obstacle) ?? [];
          return obstacles.every((obstacle) => obstacle === null) || obstacles.includes(decision.reason);
        }
        const [first, second = first] = calculation!.prices;
        const reckoned = {
          cost: calculation!.cost,
          cwsProductId: calculation!.cwsProductId,
          price: first!.price,
          businessPrice: second!.price,
          profit: first!.income! - calculation!.cost,
          size: Math.min(calculation!.deliverable! - listing.stockBuffer, listing.maxDeclaredStock),
        };
        return Object.entries(reckoned).every(([name, value]) => value === decision[name as keyof typeof reckoned]);
      }),
      { numRuns: 10_000 },
    );
  });
});
