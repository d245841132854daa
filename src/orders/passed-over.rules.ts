import type { Cents } from '../money/cents.js';

/** A purchase that its supplier did not sell, or took back, and what had been shown. */
export interface RefusedPurchase {
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly priceCap: Cents;
  /** Seconds since then. */
  readonly ageSeconds: number;
}

/** After a rise of a cent or two a supplier is often still the best; one that refused so often may refuse at any price. */
const REFUSALS_BEFORE_REST = 3;
/** How long such a one rests after each further refusal. */
const REST_SECONDS = 60;

/**
 * Whether a supplier is passed over while another one can serve: it shows the price that it had refused, or rests.
 * @param refused of the same order item, by whatever supplier.
 * @param priceFor what the supplier shows now for so many pieces; null: it has no price for them.
 */
export function isPassedOver(
  cwsProductId: string,
  refused: readonly RefusedPurchase[],
  priceFor: (quantity: number) => Cents | null,
): boolean {
  const own = refused.filter((purchase) => purchase.cwsProductId === cwsProductId);
  const isResting = own.length >= REFUSALS_BEFORE_REST && own.some(({ ageSeconds }) => ageSeconds < REST_SECONDS);
  return isResting || own.some(({ quantity, priceCap }) => priceFor(quantity) === priceCap);
}
