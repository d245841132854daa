import type { Cents } from '../money/cents.js';

/**
 * How many keys the account can still pay.
 * @param balance what is left of it and not spoken for, in the currency of `unitCost`; null: not known, and then no limit.
 * @param unitCost of one key; 0 or less is no price, and no limit either.
 */
export function payableKeys(balance: Cents | null, unitCost: Cents): number {
  if (balance === null || unitCost <= 0) return Infinity;
  return Math.max(0, Math.floor(balance / unitCost));
}

/**
 * The stock to declare while the account can pay so many keys: limited only where those are fewer than `lowStock`. More than
 * that are not sold between two looks at the balance, and a size that follows each payment would be published all day.
 */
export function sizeWithinBalance(size: number, payable: number, lowStock: number): number {
  return payable < lowStock ? Math.min(size, payable) : size;
}
