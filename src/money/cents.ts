import { Big } from 'big.js';

/**
 * An exact amount of money in integer cents of the currency at hand (EUR unless a name says otherwise). Branded, so that
 * a plain number (a price in euros, a quantity) cannot be passed where cents are meant.
 */
export type Cents = number & { readonly __brand: 'Cents' };

/** Which way an amount with more than two decimals becomes whole cents. */
export type CentRounding = 'up' | 'down' | 'exact';

/** Thrown when a text or number is not an amount of money that we can hold exactly. */
export class InvalidAmountError extends Error {
  constructor(
    readonly amount: string,
    reason: string,
  ) {
    super(`"${amount}" is not an amount of money: ${reason}`);
    this.name = 'InvalidAmountError';
  }
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,12})?$/;

/**
 * Marks an integer as cents.
 * @throws InvalidAmountError when the value is not a safe integer.
 */
export function cents(value: number): Cents {
  if (!Number.isSafeInteger(value)) throw new InvalidAmountError(String(value), 'cents are whole numbers below 2^53');
  // Adding 0 turns -0, which rounding can produce, into 0.
  return (value + 0) as Cents;
}

/** The zero amount. */
export const NO_CENTS = cents(0);

/**
 * Reads a decimal amount in major units ("6.32", 6.32) as cents, without passing through binary fractions: a JSON number
 * is read by its shortest decimal form.
 * @param rounding what to do with a third decimal: `up` for costs (never understate what we pay), `down` for income,
 *   `exact` to refuse it.
 * @throws InvalidAmountError for anything that is not a plain decimal, and for a third decimal under `exact`.
 */
export function parseCents(amount: string | number, rounding: CentRounding): Cents {
  const text = typeof amount === 'number' ? String(amount) : amount.trim();
  if (!DECIMAL.test(text)) throw new InvalidAmountError(text, 'expected digits with an optional decimal point');
  const exact = new Big(text).times(100);
  // big.js rounds away from zero or towards it; for a negative amount "up" must still mean towards +infinity.
  const isAwayFromZero = (rounding === 'up') !== exact.lt(0);
  const whole = exact.round(0, isAwayFromZero ? Big.roundUp : Big.roundDown);
  if (rounding === 'exact' && !whole.eq(exact)) throw new InvalidAmountError(text, 'at most two decimals are allowed');
  return cents(whole.toNumber());
}

/** The amount with exactly two decimals and a point, as wire formats and people expect it: 647 -> "6.47". */
export function formatCents(amount: Cents): string {
  return new Big(amount).div(100).toFixed(2);
}
