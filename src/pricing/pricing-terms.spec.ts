import { cents } from '../money/cents.js';
import { InvalidPricingTermError, parseFeeRate, parseProfitPercent, resolveTerms } from './pricing-terms.js';
import type { PricingOverrides, PricingTerms } from './pricing-terms.js';

const DEFAULTS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
  charmEnding: null,
};

describe('parseFeeRate', () => {
  it.each([
    ['0', 0],
    ['0.15', 150_000],
    ['0.150000000', 150_000],
    ['0.000001', 1],
    ['0.999999', 999_999],
  ])('reads %s as %i millionths of the sale price', (text, millionths) => {
    expect(parseFeeRate(text)).toBe(millionths);
  });

  it.each([
    ['1', 'must be below 1'],
    ['15', 'must be below 1'],
    ['-0.01', 'must not be negative'],
    ['0.1234567', 'has more than 6 decimals'],
    ['', 'is not a decimal number'],
    ['15%', 'is not a decimal number'],
    ['0,15', 'is not a decimal number'],
    ['1e-1', 'is not a decimal number'],
  ])('refuses "%s" and names the field: %s', (text, reason) => {
    expect(() => parseFeeRate(text)).toThrow(InvalidPricingTermError);
    expect(() => parseFeeRate(text)).toThrow(`feePercentage "${text}" ${reason}`);
    expect(() => parseFeeRate(text, 'DEFAULT_G2A_FEE_PERCENTAGE')).toThrow(`DEFAULT_G2A_FEE_PERCENTAGE "${text}"`);
  });
});

describe('parseProfitPercent', () => {
  it.each([
    ['0', 0],
    ['7.5', 75_000],
    ['7.5000', 75_000],
    ['0.0001', 1],
    ['250', 2_500_000],
  ])('reads %s percent as %i millionths of the cost', (text, millionths) => {
    expect(parseProfitPercent(text)).toBe(millionths);
  });

  it.each([
    ['-1', 'must not be negative'],
    ['0.00001', 'has more than 4 decimals'],
    ['ten', 'is not a decimal number'],
  ])('refuses "%s" and names the field: %s', (text, reason) => {
    expect(() => parseProfitPercent(text)).toThrow(`profitPercent "${text}" ${reason}`);
  });
});

describe('resolveTerms', () => {
  it('keeps every default that the mapping does not replace', () => {
    expect(resolveTerms(DEFAULTS)).toEqual(DEFAULTS);
    expect(resolveTerms(DEFAULTS, { fixedProfit: null, feePercentage: null })).toEqual(DEFAULTS);
  });

  it('takes what the mapping says, zero included', () => {
    const overrides: PricingOverrides = {
      fixedProfit: cents(0),
      profitPercent: parseProfitPercent('12'),
      feePercentage: parseFeeRate('0'),
      feeFixed: cents(35),
      minPrice: cents(100),
      maxPrice: cents(100),
      charmEnding: '.49',
    };
    expect(resolveTerms(DEFAULTS, overrides)).toEqual(overrides);
  });

  it.each<[overrides: PricingOverrides, field: string, message: string]>([
    [{ fixedProfit: cents(-50) }, 'fixedProfit', 'fixedProfit "-0.50" must not be negative'],
    [{ feeFixed: cents(-1) }, 'feeFixed', 'feeFixed "-0.01" must not be negative'],
    [{ minPrice: cents(0) }, 'minPrice', 'minPrice "0.00" must be above 0'],
    [{ maxPrice: cents(-5) }, 'maxPrice', 'maxPrice "-0.05" must be above 0'],
    [{ minPrice: cents(501), maxPrice: cents(500) }, 'minPrice', 'minPrice "5.01" must not be above maxPrice 5.00'],
  ])('refuses %j, naming %s', (overrides, field, message) => {
    expect(() => resolveTerms(DEFAULTS, overrides)).toThrow(
      expect.objectContaining({ field, message: expect.stringContaining(message) }),
    );
  });

  it('finds a minimum of the mapping above the maximum of the defaults', () => {
    expect(() => resolveTerms({ ...DEFAULTS, maxPrice: cents(500) }, { minPrice: cents(600) })).toThrow(
      InvalidPricingTermError,
    );
  });
});
