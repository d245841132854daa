import { type Cents, formatCents } from '../money/cents.js';

/** Why an item's keys were not bought by the deadline, as far as it is known then. */
export interface MissingKeys {
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly missing: number;
  /** What keeps any purchase from being made; null: nothing does. */
  readonly obstacle: string | null;
  /** Of the item's last purchase; null: none was tried. */
  readonly lastFailure: string | null;
  /** EUR, for one piece at the cheapest supplier in stock; null: none has stock. Undefined: no rate to reckon it with. */
  readonly priceAsked: Cents | null | undefined;
  /** EUR that the sale of one piece leaves after fees. */
  readonly saleIncome: Cents;
}

/** What a person reads of an order that was not served in time. */
export function missingKeysText(keys: MissingKeys): string {
  const { g2aProductId, quantity, missing, obstacle, lastFailure, priceAsked, saleIncome } = keys;
  const market =
    priceAsked === undefined
      ? 'no exchange rate is known'
      : priceAsked === null
        ? 'no supplier has stock'
        : `the cheapest supplier in stock asks ${formatCents(priceAsked)} EUR, the sale leaves ${formatCents(saleIncome)} EUR`;
  const reasons = [obstacle, market, lastFailure === null ? null : `last try: ${lastFailure}`];
  return (
    `product ${g2aProductId}: ${missing} of ${quantity} keys could not be bought in time: ` +
    reasons.filter((reason) => reason !== null).join('; ')
  );
}
