import fc from 'fast-check';
import { cents, formatCents, InvalidAmountError, NO_CENTS, parseCents } from './cents.js';
import type { CentRounding } from './cents.js';

describe('parseCents', () => {
  it.each<[amount: string | number, rounding: CentRounding, expected: number]>([
    ['6.32', 'exact', 632],
    [6.32, 'exact', 632],
    [' 6.3 ', 'exact', 630],
    ['6', 'exact', 600],
    ['6.320000', 'exact', 632],
    [1.005, 'up', 101],
    [1.005, 'down', 100],
    ['6.325', 'up', 633],
    ['6.325', 'down', 632],
    ['0.001', 'up', 1],
    ['0.001', 'down', 0],
    ['-0.50', 'exact', -50],
    ['-6.325', 'up', -632],
    ['-6.325', 'down', -633],
    ['-0.001', 'up', 0],
  ])('reads %p rounded %s as %i cents', (amount, rounding, expected) => {
    expect(parseCents(amount, rounding)).toBe(expected);
  });

  it.each(['', ' ', 'abc', '1,50', '1.', '.5', '+1', '0x10', '1e3', '1 000', '--1', NaN, Infinity, 1e21, 1e-7])(
    'refuses %p, which is not a plain decimal',
    (amount) => {
      expect(() => parseCents(amount, 'up')).toThrow(InvalidAmountError);
    },
  );

  it('refuses a third decimal when the amount must be exact', () => {
    expect(() => parseCents('6.325', 'exact')).toThrow('"6.325" is not an amount of money: at most two decimals');
    expect(() => parseCents('-6.325', 'exact')).toThrow(InvalidAmountError);
  });

  it('refuses an amount that integer cents cannot hold', () => {
    expect(() => parseCents('99999999999999.99', 'exact')).toThrow(InvalidAmountError);
  });

  it('reads back whatever was formatted', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (amount) => {
        expect(parseCents(formatCents(cents(amount)), 'exact')).toBe(cents(amount));
      }),
    );
  });
});

describe('cents', () => {
  it.each([0.5, NaN, Infinity, 2 ** 53])('refuses %p', (value) => {
    expect(() => cents(value)).toThrow(InvalidAmountError);
  });

  it('knows no negative zero', () => {
    expect(cents(-0)).toBe(NO_CENTS);
  });
});

describe('formatCents', () => {
  it.each([
    [647, '6.47'],
    [600, '6.00'],
    [5, '0.05'],
    [0, '0.00'],
    [-50, '-0.50'],
    [-5, '-0.05'],
    [Number.MAX_SAFE_INTEGER, '90071992547409.91'],
  ])('writes %i cents as %s', (amount, expected) => {
    expect(formatCents(cents(amount))).toBe(expected);
  });
});
