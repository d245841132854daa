import fc from 'fast-check';
import { cents } from '../money/cents.js';
import { listingPrice, requiredProfit } from './listing-price.rules.js';
import { type CharmEnding, parseFeeRate, parseProfitPercent, type PricingTerms } from './pricing-terms.js';
import { type PriceConditions, pricesToSimulate, shownPrices } from './shown-prices.rules.js';
import { expectedIncome, priceBandOf, type SimulatedIncome } from './simulated-income.rules.js';

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

  it('keep the profit by the configured fee and by every answer, whatever the bounds and the ending', () => {
    const arbitrary = fc.record({
      cost: fc.integer({ min: 1, max: 20_000 }),
      fixedProfit: fc.integer({ min: 0, max: 500 }),
      charmEnding: fc.constantFrom<CharmEnding | null>(null, '.99', '.49'),
      minPrice: fc.option(fc.integer({ min: 1, max: 30_000 }).map(cents)),
      maxPrice: fc.option(fc.integer({ min: 20_000, max: 60_000 }).map(cents)),
      answers: fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 100 })), {
        maxLength: 6,
      }),
    });
    fc.assert(
      fc.property(arbitrary, ({ cost, fixedProfit, charmEnding, minPrice, maxPrice, answers }) => {
        const byBand = new Map(
          answers.map(([price, percent]) => [
            priceBandOf(cents(price)),
            said(price, Math.floor((price * percent) / 100)),
          ]),
        );
        const retail = [...byBand.values()].sort((a, b) => a.price - b.price);
        const terms = { ...TERMS, fixedProfit: cents(fixedProfit), charmEnding };
        const toEarn = cost + requiredProfit(cents(cost), terms);
        const marketplaceBounds = { minPrice, maxPrice };
        const conditions: PriceConditions = { terms, marketplaceBounds, simulations: { retail, business: [] } };
        const shown = shownPrices(cents(cost), conditions);
        if (typeof shown === 'string') return;
        expect(expectedIncome(shown.price, terms, retail)).toBeGreaterThanOrEqual(toEarn);
        expect(shown.lowestIncome).toBeGreaterThanOrEqual(toEarn);
        expect(shown.price).toBeGreaterThanOrEqual(listingPrice(cents(cost), terms));
        expect(shown.price).toBeGreaterThanOrEqual(minPrice ?? 0);
        expect(shown.price).toBeLessThanOrEqual(maxPrice ?? Infinity);
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
