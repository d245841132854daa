import fc from 'fast-check';
import { cents, formatCents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { parseFeeRate, parseProfitPercent, type PricingTerms } from './pricing-terms.js';
import { listingPrice, netIncome } from './listing-price.rules.js';
import {
  expectedIncome,
  incomeAtWorst,
  lowestPriceEarning,
  priceBandOf,
  realFeeRate,
  simulatedIncome,
  type SimulatedIncome,
} from './simulated-income.rules.js';

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

/** Answers about prices up to so much, ascending, one per band, as they are stored. */
const simulationsUpTo = (highest: number): fc.Arbitrary<SimulatedIncome[]> =>
  fc
    .array(
      fc
        .tuple(fc.integer({ min: 1, max: highest }), fc.integer({ min: -20, max: 100 }))
        .map(([price, percent]) => said(price, Math.floor((price * percent) / 100))),
      { maxLength: 6 },
    )
    .map((all) =>
      all
        .sort((a, b) => a.price - b.price)
        .filter(({ price }, index) => index === 0 || priceBandOf(price) !== priceBandOf(all[index - 1]!.price)),
    );

/** What a sale must earn at this cost, and so many cents above the lowest price by the configured fee. */
function sale(cost: number, aboveLowest: number): { toEarn: Cents; lowest: Cents } {
  return {
    toEarn: cents(cost + TERMS.fixedProfit),
    lowest: cents(listingPrice(cents(cost), TERMS) + aboveLowest),
  };
}

describe('the band of a price', () => {
  it.each([
    [1, 1],
    [45, 45],
    [99, 99],
    [100, 100],
    [803, 800],
    [809, 800],
    [810, 810],
    [9_999, 9_900],
    [10_000, 10_000],
    [12_345, 12_000],
    [12_999, 12_000],
  ])('of %i cents starts at %i', (price, band) => {
    expect(priceBandOf(cents(price))).toBe(band);
  });

  it('is never more than a tenth wide, and bands do not overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 100_000_000 }), (price) => {
        const band = priceBandOf(cents(price));
        return band <= price && (price - band) * 10 < band && priceBandOf(band) === band;
      }),
      RUNS,
    );
  });
});

describe('what a sale earns by the word of the marketplace', () => {
  it.each<[string, number, SimulatedIncome[], number | null]>([
    ['nothing is known when nothing was asked', 803, [], null],
    ['its answer about this very price', 803, [said(803, 642)], 642],
    ['its share, for another price of the band, rounded down', 809, [said(803, 642)], 646],
    // 15 % and 0.40 leave 8.94 of 10.99, and 8.48 of 10.45, of which 8.94 / 10.99 would be 8.50.
    ['for a lower price of the band no less than each cent less', 1_045, [said(1_099, 894)], 840],
    ['the answer about the nearest band below', 850, [said(600, 300), said(803, 642), said(900, 100)], 679],
    ['nothing is known below every answer', 803, [said(900, 100)], null],
    ['the configured fee for a lower price too, where the answer confirms it', 1_045, [said(1_099, 934)], 888],
    ['a loss stays a loss, rounded down', 805, [said(803, -10)], -11],
    // 15 % of 8.03 leave 6.8255: the answer is rounded, and 682 of 803 would leave only 1049 of 1236.
    ['the configured fee, where the answer confirms it', 1_236, [said(803, 682)], 1_050],
    ['a share above it, where the answer is above it', 805, [said(803, 700)], 701],
  ])('%s', (_, price, simulations, income) => {
    expect(simulatedIncome(cents(price), TERMS, simulations)).toBe(income);
  });

  it.each<[string, SimulatedIncome[], number]>([
    ['the configured fee counts without an answer', [], 682],
    ['the configured fee counts when it is the higher one', [said(803, 700)], 682],
    ['the answer counts when it leaves less', [said(803, 642)], 642],
  ])('%s', (_, simulations, income) => {
    expect(expectedIncome(cents(803), TERMS, simulations)).toBe(income);
  });

  it.each<[number, number, number]>([
    [1_000, 850, 150_000],
    [803, 642, 200_499],
    [1_000, 1_000, 0],
    [1_000, 0, 1_000_000],
    [1_000, -10, 1_010_000],
  ])('of %i cents that leave %i the fee is %i millionths', (price, income, rate) => {
    expect(realFeeRate(said(price, income))).toBe(rate);
  });
});

describe('the lowest price that earns enough by the word of the marketplace', () => {
  it.each<[string, number, number, SimulatedIncome[], number | null]>([
    ['is the lowest allowed one when nothing was simulated', 682, 803, [], 803],
    ['is that one too when it earns enough', 682, 803, [said(803, 682)], 803],
    // 682 * 803 / 642 = 853.03…
    // 15 % and 0.40 leave 8.94 of 10.99, 8.56 of 10.55 and 8.48 of 10.45.
    ['counts each cent below the price that was asked about', 850, 1_000, [said(1_099, 894)], 1_055],
    ['is raised to the smallest cent that does', 682, 803, [said(803, 642)], 854],
    ['follows the answer of the band that it is raised into', 682, 803, [said(803, 642), said(854, 680)], 857],
    ['takes the lowest price of a band that earns enough at once', 682, 803, [said(803, 642), said(830, 680)], 833],
    ['is none where fees take everything', 682, 803, [said(803, 0)], null],
    ['lies beyond a band where they do', 682, 803, [said(803, -5), said(905, 800)], 900],
  ])('%s', (_, toEarn, lowest, simulations, price) => {
    expect(lowestPriceEarning(cents(toEarn), cents(lowest), TERMS, simulations)).toBe(price);
  });

  it('keeps what must be earned, and no lower price does, by trying each cent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        simulationsUpTo(300),
        (cost, aboveLowest, simulations) => {
          const { toEarn, lowest } = sale(cost, aboveLowest);
          const earnsEnough = (price: Cents): boolean => {
            const income = simulatedIncome(price, TERMS, simulations);
            return income === null || income >= toEarn;
          };
          const price = lowestPriceEarning(toEarn, lowest, TERMS, simulations);
          if (price !== null && !earnsEnough(price)) throw new Error(`${price} does not earn enough`);
          const end = price ?? 320;
          for (let lower: number = lowest; lower < end; lower += 1) {
            if (earnsEnough(cents(lower))) throw new Error(`${lower} earns enough, and ${price} is not the lowest`);
          }
        },
      ),
      RUNS,
    );
  });

  it('is above the lowest allowed one only when its own answer leaves too little', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        simulationsUpTo(20_000),
        (cost, aboveLowest, simulations) => {
          const { toEarn, lowest } = sale(cost, aboveLowest);
          const price = lowestPriceEarning(toEarn, lowest, TERMS, simulations);
          const income = simulatedIncome(lowest, TERMS, simulations);
          return (price === lowest) === (income === null || income >= toEarn);
        },
      ),
      RUNS,
    );
  });

  it('never expects more of a sale than the configured fee leaves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        simulationsUpTo(20_000),
        (price, simulations) => expectedIncome(cents(price), TERMS, simulations) <= netIncome(cents(price), TERMS),
      ),
      RUNS,
    );
  });
});

describe('incomeAtWorst', () => {
  const atWorst = (price: number, ...simulations: SimulatedIncome[]) =>
    formatCents(incomeAtWorst(cents(price), TERMS, simulations));

  it('is what the configured fee leaves where nothing else is known, or nothing worse', () => {
    expect(atWorst(803)).toBe('6.82');
    expect(atWorst(803, said(1000, 850))).toBe('6.82');
    expect(atWorst(803, said(1000, 900))).toBe('6.82');
  });

  it('takes the real fee of the lowest price that was asked about for one below it that is still shown', () => {
    // 10.00 leaves 8.00: a fee of 20 %, so 8.03 leaves 6.424.
    expect(atWorst(803, said(1000, 800), said(2000, 1900))).toBe('6.42');
    expect(atWorst(803, said(800, 600), said(1000, 800))).toBe('6.02');
  });
});
