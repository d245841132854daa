import type { Cents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';

/** What one supplier product of a mapping offers now. */
export interface SupplierOffer {
  readonly cwsProductId: string;
  /** What the supplier asks, as last accepted. */
  readonly bands: readonly PriceBand[];
  /**
   * What it asks now, as long as that is not believed; empty when it shows no price any more. Default, and null: nothing is
   * unconfirmed. See `price-guard.rules.ts`.
   */
  readonly unconfirmedBands?: readonly PriceBand[] | null;
  /** Keys that may still be promised: stock after holds. Negative when more is held than the supplier still shows. */
  readonly available: number;
  /** A product whose release date lies ahead has no keys yet and counts as out of stock. */
  readonly isReleased: boolean;
}

/** Who serves a sale, and what one key costs there. */
export interface SupplierChoice {
  readonly cwsProductId: string;
  readonly unitPrice: Cents;
}

/**
 * What one piece costs when this many are bought together: the price of the band that contains the quantity. Where bands
 * overlap the dearer one, because too high a cost only prices us higher. Null when no band contains the quantity.
 */
export function unitPriceFor(bands: readonly PriceBand[], quantity: number): Cents | null {
  let dearest: Cents | null = null;
  for (const { fromQuantity, toQuantity, unitPrice } of bands) {
    const isWithin = fromQuantity <= quantity && (toQuantity === null || quantity <= toQuantity);
    if (isWithin && (dearest === null || unitPrice > dearest)) dearest = unitPrice;
  }
  return dearest;
}

/** Whether this supplier can deliver so many keys now. */
export function hasStock(supplier: SupplierOffer, quantity = 1): boolean {
  return supplier.isReleased && supplier.available >= quantity;
}

/**
 * What one key costs when this supplier alone delivers the quantity now. Null when it cannot, and when it shows no positive
 * price: a missing or zero price is unknown, not free.
 */
export function deliverableUnitPrice(supplier: SupplierOffer, quantity: number): Cents | null {
  if (!hasStock(supplier, quantity)) return null;
  const unitPrice = unitPriceFor(supplier.bands, quantity);
  return unitPrice !== null && unitPrice > 0 ? unitPrice : null;
}

/**
 * The cheapest supplier that can deliver the quantity (1 or more; default 1) alone; among equals the first of the mapping.
 * Null when there is none.
 */
export function cheapestSupplier(suppliers: readonly SupplierOffer[], quantity = 1): SupplierChoice | null {
  let cheapest: SupplierChoice | null = null;
  for (const supplier of suppliers) {
    const unitPrice = deliverableUnitPrice(supplier, quantity);
    if (unitPrice !== null && (cheapest === null || unitPrice < cheapest.unitPrice)) {
      cheapest = { cwsProductId: supplier.cwsProductId, unitPrice };
    }
  }
  return cheapest;
}
