import type { Cents } from '../money/cents.js';

/** Who sees an offer: consumers, companies, or both. */
export type OfferVisibility = 'all' | 'retail' | 'business';

/** One of our offers as the marketplace shows it. Null means that the answer did not tell. */
export interface MarketplaceOffer {
  readonly g2aOfferId: string;
  readonly type: string | null;
  /** A safe integer. */
  readonly g2aProductId: number;
  /** In EUR, fractions of a cent rounded down. Where prices differ by country: the one for all, else the lowest. */
  readonly retailPrice: Cents | null;
  readonly businessPrice: Cents | null;
  /** G2A's own limits for the price, in EUR; null on a side without one. */
  readonly priceLimit: { readonly minPrice: Cents | null; readonly maxPrice: Cents | null } | null;
  /** Pieces offered. */
  readonly size: number | null;
  readonly isActive: boolean;
  readonly visibility: OfferVisibility | null;
  readonly productName: string | null;
}

/** An offer that was skipped because its JSON was not understood. */
export interface RejectedOffer {
  /** Null when not even the id could be read. */
  readonly g2aOfferId: string | null;
  /** Names the field. */
  readonly reason: string;
}

export interface OfferPage {
  readonly offers: readonly MarketplaceOffer[];
  readonly rejected: readonly RejectedOffer[];
  /** By G2A's clock, in whole seconds; null: it did not tell. */
  readonly answeredAt: Date | null;
}

/** The values that an offer shall have; what is absent stays as it is. */
export interface OfferChange {
  /** In EUR. Not sent when `visibility` is `business`. */
  readonly retailPrice?: Cents;
  /** In EUR. Not sent when `visibility` is `retail`. */
  readonly businessPrice?: Cents;
  /** 0 to 10,000. Stock alone does not activate an offer. */
  readonly size?: number;
  readonly isActive?: boolean;
  readonly visibility?: OfferVisibility;
}

/** An offer to create: on sale at once, for everybody. */
export interface NewOffer {
  /** In EUR. */
  readonly retailPrice: Cents;
  /** In EUR. */
  readonly businessPrice: Cents;
  /** 1 to 10,000. */
  readonly size: number;
}

/** What became of a creation so far. Null: G2A took it and named no job; the listing tells. */
export type CreatedOffer = { readonly jobId: string | null } | { readonly existingOfferId: string };

/** What G2A says that a sale at a price leaves to the seller, after its fees: in EUR, the lowest over all countries. */
export interface SimulatedSale {
  /** Of a sale to a consumer. May be negative. */
  readonly income: Cents;
  /** Of a sale to a company; null when the answer does not tell. */
  readonly businessIncome: Cents | null;
}

export type JobState = 'running' | 'completed' | 'failed';

export interface MarketplaceJobElement {
  /** The offer's id. */
  readonly resourceId: string | null;
  readonly state: JobState;
  readonly code: string | null;
  readonly message: string | null;
}

/** How far the marketplace is with a change. A job may be completed while an element of it failed. */
export interface MarketplaceJob {
  readonly state: JobState;
  readonly elements: readonly MarketplaceJobElement[];
}
