import type { OfferToPublish, SentChange } from '../catalog/offer-changes.queries.js';
import type { RequestPriority } from '../upstream/request-priority.rules.js';

/** Whose request goes first where G2A's limit is short. Cosmetics are paid from what nobody needs. */
export function requestPriority({
  risk,
}: OfferToPublish): Extract<RequestPriority, 'urgent' | 'loss' | 'bulk' | 'spare'> {
  switch (risk) {
    case 'stop_selling':
      return 'urgent';
    case 'losing_price':
      return 'loss';
    case 'shrinking_stock':
    case 'back_in_stock':
    case 'other':
      return 'bulk';
    case 'stock_cosmetics':
      return 'spare';
  }
}

/** Whether nothing is lost while it waits for a few seconds. */
export function canWait({ risk }: OfferToPublish): boolean {
  return risk === 'other' || risk === 'stock_cosmetics';
}

/**
 * The smallest change that makes G2A show what is desired, or null when it does. An offer that is to be off, or whose right
 * price G2A refuses, only has its size and activity compared: its price does not matter.
 */
export function planChange({ desired, shown, visibility, risk }: OfferToPublish): SentChange | null {
  // G2A wants both to stop selling, whatever it shows now.
  if (risk === 'stop_selling') return shown.size === 0 && !shown.isActive ? null : { size: 0, isActive: false };

  const size = shown.size === desired.size ? undefined : desired.size;
  const isActive = shown.isActive === desired.isActive ? undefined : desired.isActive;
  if (desired.priceCents === null || desired.businessPriceCents === null) return null;
  const retail = { wanted: desired.priceCents, shown: shown.retailPriceCents };
  const business = { wanted: desired.businessPriceCents, shown: shown.businessPriceCents };
  // A retail or business offer has only that price.
  const prices = { all: [retail, business], retail: [retail], business: [business] }[visibility];
  const isRepriced = prices.some((price) => price.shown !== price.wanted);
  if (size === undefined && isActive === undefined && !isRepriced) return null;
  return {
    // Both or none: nobody says that G2A keeps a price which is left out beside the other one.
    retailPriceCents: isRepriced && visibility !== 'business' ? retail.wanted : undefined,
    businessPriceCents: isRepriced && visibility !== 'retail' ? business.wanted : undefined,
    size,
    isActive,
  };
}
