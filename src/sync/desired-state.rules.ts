import type { DesiredState, OfferToPrice } from '../catalog/offers.queries.js';
import { mappingTerms, supplierOffers } from '../catalog/mapping-terms.js';
import { decideListing } from '../pricing/listing-decision.rules.js';
import type { PricingTerms } from '../pricing/pricing-terms.js';

/** What applies to every offer alike. */
export interface DesiredStateInput {
  readonly defaults: PricingTerms;
  readonly stockBuffer: number;
  readonly maxDeclaredStock: number;
  /** Set while nothing is to be sold at all; becomes the reason. */
  readonly pauseReason: string | null;
  /** Supplier states known only from before this time (epoch milliseconds) are too old to sell on. */
  readonly freshSince: number;
}

/** What the offer should show, from its mapping and its suppliers. */
export function desiredState(offer: OfferToPrice, input: DesiredStateInput): DesiredState {
  const { mapping } = offer;
  if (mapping === null) return off('unmapped');
  if (!mapping.isEnabled) return off('disabled');
  // G2A switched it off: switching it on again would be a fight that a seller loses.
  if (offer.isDeactivated) return off('deactivated_by_g2a');
  if (input.pauseReason !== null) return off(input.pauseReason);

  const fresh = mapping.suppliers.filter((supplier) => supplier.freshAsOf >= input.freshSince);
  if (fresh.length === 0) return off(mapping.suppliers.length === 0 ? 'no_supplier_data' : 'stale');

  const decision = decideListing({
    suppliers: supplierOffers({ ...mapping, suppliers: fresh }),
    terms: mappingTerms(mapping, input.defaults),
    stockBuffer: input.stockBuffer,
    maxDeclaredStock: input.maxDeclaredStock,
  });
  if (!decision.isSellable) return off(decision.reason);
  return {
    priceCents: decision.price,
    size: decision.size,
    isActive: true,
    reason: 'for_sale',
    costCents: decision.cost,
  };
}

/** Field by field equality, so that unchanged offers are not written. */
export function isSameDesiredState(a: DesiredState, b: DesiredState): boolean {
  return (
    a.priceCents === b.priceCents &&
    a.size === b.size &&
    a.isActive === b.isActive &&
    a.reason === b.reason &&
    a.costCents === b.costCents
  );
}

function off(reason: string): DesiredState {
  return { priceCents: null, size: 0, isActive: false, reason, costCents: null };
}
