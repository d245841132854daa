import type { Cents } from './cents.js';

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
