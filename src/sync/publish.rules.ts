import type { OfferToPublish, SentChange } from '../catalog/offer-changes.queries.js';

/** Why a change is urgent, most urgent first: what costs money goes before what merely earns less. */
export const PUBLISH_RISKS = ['stop_selling', 'raise_price', 'back_in_stock', 'lower_price', 'stock'] as const;
export type PublishRisk = (typeof PUBLISH_RISKS)[number];

/** What to send for an offer, and how urgent it is. */
export interface PlannedChange {
  readonly g2aOfferId: string;
  readonly change: SentChange;
  readonly risk: PublishRisk;
}

/**
 * The smallest change that makes G2A show what is desired, or null when it does. An offer that is to be off only has its
 * size and activity compared: its price does not matter.
 */
export function planChange(offer: OfferToPublish): PlannedChange | null {
  const { desired, shown, visibility, g2aOfferId } = offer;
  const size = shown.size === desired.size ? undefined : desired.size;
  const isActive = shown.isActive === desired.isActive ? undefined : desired.isActive;
  if (!desired.isActive) {
    if (size === undefined && isActive === undefined) return null;
    // G2A wants both to stop selling, whatever it shows now.
    return { g2aOfferId, change: { size: 0, isActive: false }, risk: 'stop_selling' };
  }

  if (desired.priceCents === null || desired.businessPriceCents === null) return null;
  const retail = { wanted: desired.priceCents, shown: shown.retailPriceCents };
  const business = { wanted: desired.businessPriceCents, shown: shown.businessPriceCents };
  // A retail or business offer has only that price.
  const prices = { all: [retail, business], retail: [retail], business: [business] }[visibility];
  const isRepriced = prices.some((price) => price.shown !== price.wanted);
  if (size === undefined && isActive === undefined && !isRepriced) return null;

  const isTooLow = prices.some((price) => price.shown === null || price.shown < price.wanted);
  const risk: PublishRisk =
    isActive === true ? 'back_in_stock' : isTooLow ? 'raise_price' : isRepriced ? 'lower_price' : 'stock';
  const change: SentChange = {
    // Both or none: nobody says that G2A keeps a price which is left out beside the other one.
    retailPriceCents: isRepriced && visibility !== 'business' ? retail.wanted : undefined,
    businessPriceCents: isRepriced && visibility !== 'retail' ? business.wanted : undefined,
    size,
    isActive,
  };
  return { g2aOfferId, change, risk };
}

/** Most urgent first; equals keep their order. */
export function byRisk(a: PlannedChange, b: PlannedChange): number {
  return PUBLISH_RISKS.indexOf(a.risk) - PUBLISH_RISKS.indexOf(b.risk);
}
