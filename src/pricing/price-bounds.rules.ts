import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import type { CharmEnding, PriceBounds } from './pricing-terms.js';

/**
 * The price to show for a price that keeps the profit: raised to the highest minimum, then to the charm ending. Null when
 * that is above the lowest maximum: such an offer is not sold, and never sold for less. A charm ending that alone would
 * cross the maximum is left out, since looks are no reason to stop selling.
 * @param bounds every source of bounds that applies (the mapping's, the marketplace's); the narrowest of all counts.
 */
export function priceWithinBounds(
  profitablePrice: Cents,
  charmEnding: CharmEnding | null,
  bounds: readonly PriceBounds[],
): Cents | null {
  let lowest = profitablePrice;
  let highest: Cents | null = null;
  for (const { minPrice, maxPrice } of bounds) {
    if (minPrice !== null && minPrice > lowest) lowest = minPrice;
    if (maxPrice !== null && (highest === null || maxPrice < highest)) highest = maxPrice;
  }
  if (highest !== null && lowest > highest) return null;
  const charming = charmEnding === null ? lowest : raiseToEnding(lowest, charmEnding);
  return highest !== null && charming > highest ? lowest : charming;
}

/** The lowest price with this ending that is not below the given price: 8.03 with .99 is 8.99. */
export function raiseToEnding(price: Cents, ending: CharmEnding): Cents {
  const missing = (ENDING_CENTS[ending] - (price % 100) + 100) % 100;
  return cents(price + missing);
}

const ENDING_CENTS: Record<CharmEnding, number> = { '.99': 99, '.49': 49 };
