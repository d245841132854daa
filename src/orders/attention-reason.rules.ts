import { type Cents, formatCents } from '../money/cents.js';
import type { PurchaseState } from './order-state.rules.js';

/** Why an item's keys were not bought by the deadline, as far as it is known then. */
export interface MissingKeys {
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly missing: number;
  /** What keeps any purchase from being made; null: nothing does. */
  readonly obstacle: string | null;
  /** Of the item's last purchase; null: none was tried. */
  readonly failure: string | null;
  /** EUR, for one piece at the cheapest supplier in stock; null: none has stock. Undefined: no rate to reckon it with. */
  readonly priceAsked: Cents | null | undefined;
  /** EUR that the sale of one piece leaves after fees. */
  readonly saleIncome: Cents;
}

/** What a person reads of keys for which nothing is under way any more. */
export function missingKeysText(keys: MissingKeys): string {
  const { g2aProductId, quantity, missing, obstacle, failure, priceAsked, saleIncome } = keys;
  const market =
    priceAsked === undefined
      ? 'no exchange rate is known'
      : priceAsked === null
        ? 'no supplier has stock'
        : `the cheapest supplier in stock asks ${formatCents(priceAsked)} EUR, the sale leaves ${formatCents(saleIncome)} EUR`;
  const reasons = [obstacle, market, failure === null ? null : `last try: ${failure}`];
  return (
    `product ${g2aProductId}: ${missing} of ${quantity} ${quantity === 1 ? 'key' : 'keys'} could not be bought in time: ` +
    reasons.filter((reason) => reason !== null).join('; ')
  );
}

/** A purchase that was sent and has not brought its keys. */
export interface OpenPurchase {
  readonly clientOrderId: string;
  readonly state: PurchaseState;
  readonly sendCount: number;
  readonly isPastDeadline: boolean;
  readonly awaitedPreorders: number;
  /** What the last look at it came to; null: nothing but that CWS is at work. */
  readonly failure: string | null;
}

/** Of a call that is not the purchase itself: CWS was to say what became of it, and did not. */
const FAILED_LOOK_UP = /^cws (?!POST \/v3\/orders\b)/;

/** What a person reads of it: that it is late, when CWS has accepted it; otherwise that nobody can tell what became of it. */
export function openPurchaseText(purchase: OpenPurchase): string {
  const { clientOrderId, state, sendCount, isPastDeadline, awaitedPreorders, failure } = purchase;
  const told = failure !== null && FAILED_LOOK_UP.test(failure) ? `the last look-up failed: ${failure}` : failure;
  const why = told ?? (awaitedPreorders > 0 ? 'CWS sold a pre-order' : null);
  const inBrackets = why === null ? '' : ` (${why})`;
  if (state === 'fulfilling') {
    return `purchase ${clientOrderId} has no key ${isPastDeadline ? 'by the deadline' : 'yet'}${inBrackets}`;
  }
  const sent = sendCount === 1 ? 'once' : `${sendCount} times`;
  return `purchase ${clientOrderId} has no known outcome${inBrackets}, sent ${sent}; nothing is bought again on a guess`;
}
