import { cents, formatCents } from './cents.js';

/** Money as a person reads it: decimal text in the account's currency, or null where there is none. */
export function amount(storedCents: number | null): string | null {
  return storedCents === null ? null : formatCents(cents(storedCents));
}
