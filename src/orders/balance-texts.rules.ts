import { type Cents, cents, formatCents } from '../money/cents.js';

/** Of the alert that tells of little money; amounts in the account's currency, unless they say otherwise. */
export function lowBalanceText(balance: {
  readonly totalToUse: Cents;
  readonly committed: Cents;
  readonly currency: string;
  readonly totalInEuro: Cents;
  readonly limitInEuro: Cents;
}): string {
  const { totalToUse, committed, currency, totalInEuro, limitInEuro } = balance;
  const euros = currency === 'EUR' ? '' : ` (${formatCents(totalInEuro)} EUR)`;
  return (
    `the CWS account has ${formatCents(totalToUse)} ${currency}${euros} to use, less than ${formatCents(limitInEuro)} EUR ` +
    `(LOW_BALANCE_ALERT); live reservations and paid orders need ${formatCents(committed)} ${currency} of it`
  );
}

/** Of the alert that orders wait for money: the refused purchase, and how much is missing for all that is owed. */
export function refusedPurchaseText(refused: {
  readonly quantity: number;
  readonly priceCap: Cents;
  readonly currency: string;
  readonly owed: Cents;
  /** Null: CWS did not say. */
  readonly totalToUse: Cents | null;
}): string {
  const { quantity, priceCap, currency, owed, totalToUse } = refused;
  const purchase = `${quantity} x ${formatCents(priceCap)} ${currency} could not be paid; paid orders need ${formatCents(owed)} ${currency}`;
  if (totalToUse === null) return `${purchase}, and how much the CWS account has is not known`;
  const missing = cents(Math.max(0, owed - totalToUse));
  return `${purchase}, the CWS account has ${formatCents(totalToUse)} to use: ${formatCents(missing)} ${currency} are missing`;
}
