import { cents } from '../money/cents.js';
import { breakEvenPrice } from './break-even.rules.js';
import { parseFeeRate, parseProfitPercent, type PricingTerms } from './pricing-terms.js';
import { expectedIncome, type SimulatedIncome } from './simulated-income.rules.js';

const TERMS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
};
const COST = cents(632);

describe('the price at which a sale just pays its cost', () => {
  it('is that of the configured fee, without any profit', () => {
    expect(breakEvenPrice(COST, cents(803), TERMS, [])).toBe(744);
  });

  it('rises with the fee that G2A names', () => {
    const simulations = [{ price: cents(900), income: cents(700) }];
    expect(breakEvenPrice(COST, cents(960), TERMS, simulations)).toBe(744);
    expect(breakEvenPrice(COST, cents(960), TERMS, [{ price: cents(740), income: cents(560) }])).toBe(836);
  });

  it('is at most the price that was found to pay', () => {
    expect(breakEvenPrice(COST, cents(700), TERMS, [])).toBe(700);
  });

  it('has the next cent below it lose money, and no cent from it up to the price', () => {
    const bands: SimulatedIncome[] = [
      { price: cents(745), income: cents(560) },
      { price: cents(815), income: cents(690) },
      { price: cents(905), income: cents(600) },
    ];
    for (const simulations of [[], bands.slice(0, 1), bands.slice(0, 2), bands]) {
      const price = cents(1100);
      const breakEven = breakEvenPrice(COST, price, TERMS, simulations);
      expect(expectedIncome(cents(breakEven - 1), TERMS, simulations)).toBeLessThan(COST);
      for (let paying = breakEven; paying <= price; paying = cents(paying + 1)) {
        expect(expectedIncome(paying, TERMS, simulations)).toBeGreaterThanOrEqual(COST);
      }
    }
  });
});
