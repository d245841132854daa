import type { Cents } from '../money/cents.js';
import { keepsFloor } from '../pricing/listing-price.rules.js';
import type { PricingTerms } from '../pricing/pricing-terms.js';
import { type SupplierOffer, unitPriceFor } from '../pricing/supplier-choice.rules.js';

/** So many pieces from this supplier product, at this price each. */
export interface Allocation {
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly unitPrice: Cents;
}

export interface AllocationInput {
  readonly quantity: number;
  /** `available` as of now; what others hold is already taken off. */
  readonly suppliers: readonly SupplierOffer[];
  /** What one sale brings at worst, before fees. */
  readonly salePrice: Cents;
  readonly terms: PricingTerms;
  /** Loss per piece that the owner accepts; 0 for none. */
  readonly maxLoss: Cents;
}

/** Allocations for as many of the pieces as possible, cheapest first, and how many more could be had. */
export interface AllocationResult {
  readonly allocations: readonly Allocation[];
  readonly missing: number;
  /** Pieces left at suppliers that keep the floor, after these allocations. */
  readonly remaining: number;
  /** Some stock was passed over because it costs more than the sale brings. */
  readonly isTooDear: boolean;
}

/**
 * Takes the pieces from the cheapest suppliers that have stock and keep the floor (cost <= what the sale brings after fees,
 * plus the accepted loss). Splits only where one supplier does not have enough.
 */
export function allocateStock(input: AllocationInput): AllocationResult {
  const candidates = input.suppliers
    .filter((supplier) => supplier.isReleased && supplier.available > 0)
    .flatMap((supplier) => {
      const take = Math.min(supplier.available, input.quantity);
      const unitPrice = unitPriceFor(supplier.bands, take);
      return unitPrice === null || unitPrice <= 0 ? [] : [{ supplier, unitPrice }];
    });
  const affordable = candidates
    .filter(({ unitPrice }) => keepsFloor(unitPrice, input.salePrice, input.terms, input.maxLoss))
    .sort((a, b) => a.unitPrice - b.unitPrice);

  const allocations: Allocation[] = [];
  let missing = input.quantity;
  for (const { supplier } of affordable) {
    const quantity = Math.min(supplier.available, missing);
    if (quantity === 0) break;
    // A smaller part may fall into a dearer band than the whole quantity would.
    const unitPrice = unitPriceFor(supplier.bands, quantity);
    if (unitPrice === null || !keepsFloor(unitPrice, input.salePrice, input.terms, input.maxLoss)) continue;
    allocations.push({ cwsProductId: supplier.cwsProductId, quantity, unitPrice });
    missing -= quantity;
  }
  const stock = affordable.reduce((sum, { supplier }) => sum + supplier.available, 0);
  return {
    allocations,
    missing,
    remaining: stock - (input.quantity - missing),
    isTooDear: affordable.length < candidates.length,
  };
}
