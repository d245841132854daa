import { type Cents, formatCents } from './cents.js';

/**
 * One quantity band of a supplier's price list: buying a number of pieces within the band costs `unitPrice` each.
 * `toQuantity` is null for "and more". Bands are never alternative suppliers, and the cheapest band is the bulk price:
 * a single sale costs the band that contains 1.
 */
export interface PriceBand {
  readonly fromQuantity: number;
  readonly toQuantity: number | null;
  readonly unitPrice: Cents;
}

/** Bands for people, in the order given: "6.32 (1 to 9), 5.90 (from 10)"; "no price" for none. */
export function formatPriceBands(bands: readonly PriceBand[]): string {
  if (bands.length === 0) return 'no price';
  return bands
    .map(({ fromQuantity, toQuantity, unitPrice }) => {
      const quantities = toQuantity === null ? `from ${fromQuantity}` : `${fromQuantity} to ${toQuantity}`;
      return `${formatCents(unitPrice)} (${quantities})`;
    })
    .join(', ');
}
