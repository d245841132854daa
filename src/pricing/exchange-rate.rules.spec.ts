import fc from 'fast-check';
import { cents } from '../money/cents.js';
import { bandsInEuro, differsByMoreThan, EURO, inEuro, parseExchangeRate } from './exchange-rate.rules.js';
import { unitPriceFor } from './supplier-choice.rules.js';

const gbp = (rate: string, marginPercent = '0') => parseExchangeRate({ currency: 'GBP', rate, marginPercent });

describe('a cost in euros', () => {
  it.each<[currency: string, rate: string, margin: string, amount: number, euroCents: number, reckoning: string]>([
    ['GBP', '1.17', '0', 540, 632, '5.40 x 1.17 = 6.318'],
    ['GBP', '1.17', '2', 540, 645, '5.40 x 1.17 x 1.02 = 6.44436'],
    ['USD', '0.9', '0', 1000, 900, '10.00 x 0.9 = 9.00 exactly'],
    ['USD', '0.9', '0.0001', 1000, 901, '10.00 x 0.9 x 1.000001 = 9.000009'],
    ['USD', '0.853', '1.5', 1, 1, 'a cent costs a cent at least'],
    ['PLN', '0.235', '3', 2799, 678, '27.99 x 0.235 x 1.03 = 6.7749795'],
    ['JPY', '0.0057', '1', 105_000, 605, '1050 x 0.0057 x 1.01 = 6.04485'],
    ['GBP', '1.17', '2', 0, 0, 'nothing, which stays unknown'],
    ['GBP', '1.17', '2', -100, -119, '-1.1934, rounded up'],
  ])('%s at %s with a margin of %s %%: %i cents are %i euro cents (%s)', (currency, rate, margin, amount, expected) => {
    expect(inEuro(cents(amount), parseExchangeRate({ currency, rate, marginPercent: margin }))).toBe(expected);
  });

  const decimal = (max: number, decimals: number) =>
    fc
      .tuple(fc.integer({ min: 0, max: max - 1 }), fc.bigInt({ min: 0n, max: 10n ** BigInt(decimals) - 1n }))
      .map(([whole, fraction]) => `${whole}.${fraction.toString().padStart(decimals, '0')}`);
  const positive = decimal(1000, 12).filter((text) => !/^0\.0+$/.test(text));
  const rates = fc.tuple(positive, decimal(100, 4)).map(([rate, margin]) => gbp(rate, margin));
  const amounts = fc.integer({ min: 0, max: 1_000_000_000 }).map(cents);

  it('is the smallest number of cents that is not below the exact product', () => {
    fc.assert(
      fc.property(rates, amounts, (rate, amount) => {
        // The same product from the texts, in whole parts of 10^-18 euro cents.
        const digits = (text: string, decimals: number): bigint => {
          const [whole = '', fraction = ''] = text.split('.');
          return BigInt(whole + fraction.padEnd(decimals, '0'));
        };
        const exact = BigInt(amount) * digits(rate.rate, 12) * (1_000_000n + digits(rate.marginPercent, 4));
        const euroCents = BigInt(inEuro(amount, rate)) * 10n ** 18n;
        return euroCents >= exact && euroCents - exact < 10n ** 18n;
      }),
      { numRuns: 10_000 },
    );
  });

  it('never falls when the amount, the rate or the margin rises', () => {
    fc.assert(
      fc.property(rates, rates, amounts, amounts, (a, b, one, other) => {
        const [low, high] = a.factor <= b.factor ? [a, b] : [b, a];
        return inEuro(cents(Math.min(one, other)), low) <= inEuro(cents(Math.max(one, other)), high);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is the amount itself when that is in euros', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (amount) => {
        expect(inEuro(cents(amount), EURO)).toBe(cents(amount));
      }),
    );
  });

  it('of a price list is that of each price, for every quantity', () => {
    const band = fc.record({
      fromQuantity: fc.integer({ min: 1, max: 9 }),
      toQuantity: fc.option(fc.integer({ min: 1, max: 9 })),
      unitPrice: amounts,
    });
    fc.assert(
      fc.property(fc.array(band), rates, fc.integer({ min: 1, max: 9 }), (bands, rate, quantity) => {
        const original = unitPriceFor(bands, quantity);
        expect(unitPriceFor(bandsInEuro(bands, rate), quantity)).toBe(
          original === null ? null : inEuro(original, rate),
        );
      }),
    );
  });
});

describe('reading a rate', () => {
  it('gives it in its shortest form, its currency in capitals', () => {
    expect(parseExchangeRate({ currency: 'gbp', rate: '1.170000000000', marginPercent: '2.0000' })).toMatchObject({
      currency: 'GBP',
      rate: '1.17',
      marginPercent: '2',
    });
  });

  it.each<[field: string, currency: string, rate: string, marginPercent: string, reason: RegExp]>([
    ['currency', 'QQQ', '1', '0', /ISO 4217/],
    ['currency', 'POUND', '1', '0', /ISO 4217/],
    ['currency', 'eur', '1', '0', /needs no rate/],
    ['rate', 'GBP', '0', '0', /above 0/],
    ['rate', 'GBP', '-1.17', '0', /negative/],
    ['rate', 'GBP', '1,17', '0', /decimal number/],
    ['rate', 'GBP', 'NaN', '0', /decimal number/],
    ['rate', 'GBP', '1000.000000000001', '0', /at most 1000/],
    ['rate', 'GBP', '1.1234567890123', '0', /decimal/],
    ['margin', 'GBP', '1.17', '', /decimal number/],
    ['margin', 'GBP', '1.17', '-1', /negative/],
    ['margin', 'GBP', '1.17', '100.0001', /at most 100/],
    ['margin', 'GBP', '1.17', '2.00001', /4 decimals/],
  ])('names %s in refusing %s %s + %s %%', (field, currency, rate, marginPercent, reason) => {
    expect(() => parseExchangeRate({ currency, rate, marginPercent })).toThrow(
      expect.objectContaining({ field, reason: expect.stringMatching(reason) as string }),
    );
  });
});

describe('the change of a rate', () => {
  it.each<[before: string, after: string, isMuch: boolean]>([
    ['1.17', '1.18', false],
    ['1.00', '1.20', false],
    ['1.00', '1.200000000001', true],
    ['1.00', '0.80', false],
    ['1.17', '11.7', true],
    ['1.17', '0.854700854701', true],
  ])('from %s to %s exceeds 20 percent: %p', (before, after, isMuch) => {
    expect(differsByMoreThan(20, gbp(after), gbp(before))).toBe(isMuch);
  });
});
