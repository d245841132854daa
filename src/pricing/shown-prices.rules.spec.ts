import fc from 'fast-check';
import { cents } from '../money/cents.js';
import { type CharmEnding, parseFeeRate, parseProfitPercent, type PricingTerms } from './pricing-terms.js';
import { type PriceConditions, pricesToSimulate, shownPrices } from './shown-prices.rules.js';
import { priceBandOf, type SimulatedIncome } from './simulated-income.rules.js';

const RUNS = { numRuns: 10_000 };

const TERMS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
};

const said = (price: number, income: number): SimulatedIncome => ({ price: cents(price), income: cents(income) });
const COST = cents(632);

/** A fee as marketplaces take it, in whole percent and cents: no less than the configured one. */
interface RealFee {
  readonly percent: number;
  readonly fixed: number;
}

const realFees: fc.Arbitrary<RealFee> = fc.record({
  percent: fc.oneof(fc.constant(15), fc.integer({ min: 15, max: 60 })),
  fixed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
});

/** The share is rounded in the marketplace's favor. */
function incomeAfter({ percent, fixed }: RealFee, price: number): number {
  return price - Math.ceil((price * percent) / 100) - fixed;
}

/** The lowest of these prices in each band, ascending. */
function onePerBand(prices: readonly number[]): number[] {
  const ascending = [...prices].sort((a, b) => a - b);
  const band = (price: number) => priceBandOf(cents(price));
  return ascending.filter((price, index) => index === 0 || band(price) !== band(ascending[index - 1]!));
}

describe('the prices of an offer', () => {
  it.each<[string, Partial<PriceConditions>, object | string]>([
    ['are one price by the configured fee', {}, { price: 803, businessPrice: 803, income: 682, lowestIncome: 682 }],
    [
      'are raised by the fee of either audience alone',
      { simulations: { retail: [said(803, 682)], business: [said(803, 642)] } },
      { price: 803, businessPrice: 854, income: 682, lowestIncome: 682 },
    ],
    [
      'count what the dearer fee leaves of each',
      { simulations: { retail: [said(803, 642)], business: [said(803, 700)] } },
      { price: 854, businessPrice: 803, income: 682, lowestIncome: 682 },
    ],
    [
      'stay at the configured fee when the real one is lower',
      { simulations: { retail: [said(803, 780)], business: [said(803, 780)] } },
      { price: 803, businessPrice: 803, income: 682, lowestIncome: 682 },
    ],
    [
      'are the price for consumers where only they see the offer',
      { visibility: 'retail', simulations: { retail: [said(803, 682)], business: [said(803, 0)] } },
      { price: 803, businessPrice: 803, income: 682, lowestIncome: 682 },
    ],
    [
      'are the price for companies where only they see the offer',
      { visibility: 'business', simulations: { retail: [said(803, 0)], business: [said(803, 642)] } },
      { price: 854, businessPrice: 854, income: 682, lowestIncome: 682 },
    ],
    [
      'are none when the real fee raises one above a maximum',
      {
        simulations: { retail: [], business: [said(803, 642)] },
        marketplaceBounds: { minPrice: null, maxPrice: cents(850) },
      },
      'price_above_maximum',
    ],
    [
      'are none when fees take everything',
      { simulations: { retail: [said(803, 0)], business: [] } },
      'no_profitable_price',
    ],
    [
      'are raised by the higher fee of a band into which a minimum raises them',
      {
        simulations: { retail: [said(803, 682), said(905, 640)], business: [] },
        marketplaceBounds: { minPrice: cents(900), maxPrice: null },
      },
      // 682 * 905 / 640 = 964.39…
      { price: 965, businessPrice: 900, income: 682, lowestIncome: 682 },
    ],
  ])('%s', (_, conditions, expected) => {
    const shown = shownPrices(COST, { terms: TERMS, ...conditions });
    if (typeof expected === 'string') expect(shown).toBe(expected);
    else expect(shown).toMatchObject({ ...expected, income: expect.any(Number), lowestIncome: expect.any(Number) });
    if (typeof shown !== 'string') expect(shown.lowestIncome).toBeGreaterThanOrEqual(682);
  });

  it('keep the profit by the configured fee, and by the real one from the lowest price on that was asked about', () => {
    const arbitrary = fc.record({
      cost: fc.integer({ min: 1, max: 20_000 }),
      fixedProfit: fc.integer({ min: 0, max: 500 }),
      charmEnding: fc.constantFrom<CharmEnding | null>(null, '.99', '.49'),
      minPrice: fc.option(fc.integer({ min: 1, max: 30_000 }).map(cents)),
      maxPrice: fc.option(fc.integer({ min: 20_000, max: 60_000 }).map(cents)),
      visibility: fc.constantFrom('all', 'retail', 'business'),
      retailFee: realFees,
      businessFee: realFees,
      askedPrices: fc.array(fc.integer({ min: 100, max: 40_000 }), { maxLength: 6 }),
      // In most runs also one close to the price by the configured fee, as in life.
      nearby: fc.option(fc.integer({ min: 0, max: 2_000 })),
    });
    fc.assert(
      fc.property(arbitrary, ({ cost, fixedProfit, charmEnding, askedPrices, nearby, ...rest }) => {
        const { visibility, minPrice, maxPrice, retailFee, businessFee } = rest;
        const terms = { ...TERMS, fixedProfit: cents(fixedProfit), charmEnding };
        const toEarn = cost + fixedProfit;
        const near = nearby === null ? [] : [Math.max(Math.ceil(toEarn / 0.85), 100) + nearby];
        const asked = onePerBand([...askedPrices, ...near]);
        const simulations = {
          retail: asked.map((price) => said(price, incomeAfter(retailFee, price))),
          business: asked.map((price) => said(price, incomeAfter(businessFee, price))),
        };
        const marketplaceBounds = { minPrice, maxPrice };
        const shown = shownPrices(cents(cost), { terms, marketplaceBounds, simulations, visibility });
        if (typeof shown === 'string') return true;

        const seen = [
          { price: shown.price, fee: visibility === 'business' ? businessFee : retailFee },
          { price: shown.businessPrice, fee: visibility === 'retail' ? retailFee : businessFee },
        ];
        const isKnown = (price: number) => asked.some((each) => priceBandOf(cents(each)) <= price);
        for (const { price, fee } of seen) {
          const earnsEnough =
            incomeAfter({ percent: 15, fixed: 0 }, price) >= toEarn &&
            (!isKnown(price) || incomeAfter(fee, price) >= toEarn);
          if (!earnsEnough) throw new Error(`${price} earns less than ${toEarn}`);
          const isWithinBounds = price >= (minPrice ?? 0) && price <= (maxPrice ?? Infinity);
          if (!isWithinBounds) throw new Error(`${price} is not within ${minPrice} and ${maxPrice}`);
        }
        // What is claimed to be left is enough, and no more than what is.
        const incomes = seen.filter(({ price }) => isKnown(price)).map(({ price, fee }) => incomeAfter(fee, price));
        return shown.lowestIncome >= toEarn && shown.lowestIncome <= Math.min(...incomes, Infinity);
      }),
      RUNS,
    );
  });
});

describe('the prices to be simulated', () => {
  it.each<[string, Partial<PriceConditions>, number[]]>([
    ['are the price by the configured fee before anything is known', {}, [803]],
    [
      'are also those that it was raised to: a raised price is simulated again in its own band',
      { simulations: { retail: [said(803, 642)], business: [said(803, 600)] } },
      [803, 854, 913],
    ],
    [
      'are still the price by the configured fee when the raised one cannot be shown',
      {
        simulations: { retail: [said(803, 642)], business: [] },
        marketplaceBounds: { minPrice: null, maxPrice: cents(820) },
      },
      [803],
    ],
    ['are none when no price can be shown', { marketplaceBounds: { minPrice: null, maxPrice: cents(700) } }, []],
  ])('%s', (_, conditions, prices) => {
    expect(pricesToSimulate(COST, { terms: TERMS, ...conditions })).toEqual(prices);
  });
});
