import type { OfferToPublish, SentChange } from '../catalog/offers.queries.js';

/** Why a change is urgent, most urgent first: what costs money goes before what merely earns less. */
export const PUBLISH_RISKS = ['stop_selling', 'raise_price', 'back_in_stock', 'lower_price', 'stock'] as const;
export type PublishRisk = (typeof PUBLISH_RISKS)[number];

/** What to send for an offer, and how urgent it is. */
export interface PlannedChange {
  readonly g2aOfferId: string;
  /** A `retail` or `business` offer has only that price. */
  readonly visibility: OfferToPublish['visibility'];
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
    return { g2aOfferId, visibility, change: { size: 0, isActive: false }, risk: 'stop_selling' };
  }

  const price = desired.priceCents;
  if (price === null) return null;
  const shownPrices = [
    ...(visibility === 'business' ? [] : [shown.retailPriceCents]),
    ...(visibility === 'retail' ? [] : [shown.businessPriceCents]),
  ];
  const priceCents = shownPrices.every((shownPrice) => shownPrice === price) ? undefined : price;
  if (size === undefined && isActive === undefined && priceCents === undefined) return null;

  const isTooLow =
    priceCents !== undefined && shownPrices.some((shownPrice) => shownPrice === null || shownPrice < price);
  const risk: PublishRisk =
    isActive === true ? 'back_in_stock' : isTooLow ? 'raise_price' : priceCents !== undefined ? 'lower_price' : 'stock';
  return { g2aOfferId, visibility, change: { priceCents, size, isActive }, risk };
}

/** Most urgent first; equals keep their order. */
export function byRisk(a: PlannedChange, b: PlannedChange): number {
  return PUBLISH_RISKS.indexOf(a.risk) - PUBLISH_RISKS.indexOf(b.risk);
}
