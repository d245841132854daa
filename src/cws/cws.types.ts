import type { Cents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';

/** A product as the supplier sells it now. */
export interface SupplierProduct {
  readonly cwsProductId: string;
  readonly name: string;
  readonly platform: string | null;
  /** Pieces in stock, as shown: an order may still find none. */
  readonly quantity: number;
  /** Sorted by `fromQuantity`, not overlapping; empty when the supplier names no price. */
  readonly priceBands: readonly PriceBand[];
  readonly releaseDate: Date | null;
}

/** A product that was skipped because its JSON was not understood. */
export interface RejectedProduct {
  /** Null when not even the id could be read. */
  readonly cwsProductId: string | null;
  /** Names the field. */
  readonly reason: string;
}

export interface ProductPage {
  readonly products: readonly SupplierProduct[];
  readonly rejected: readonly RejectedProduct[];
}

/** One of the pages of a listing. */
export interface ListedPage extends ProductPage {
  /** For `ProductFilter.continueFrom`; null on the last page. */
  readonly continueFrom: string | null;
  /** By the supplier's clock, in whole seconds; null: it does not tell. */
  readonly answeredAt: Date | null;
}

/** Which products to list; both conditions may be given. An empty list of ids lists nothing. */
export interface ProductFilter {
  readonly cwsProductIds?: readonly string[];
  /** By the supplier's clock. Overlap the windows: whether the instant itself is included is not published. */
  readonly updatedSince?: Date;
  /** Goes on behind a page of the same listing without ids. Null: from the first page. */
  readonly continueFrom?: string | null;
}

/** `unknown`: a status that we do not know. Such an order is taken for running: giving it up would lose a key that was paid for. */
export type SupplierOrderStatus = 'completed' | 'fulfilling' | 'unknown' | 'cancelled' | 'failed';

/** One key that was bought. */
export interface SupplierCode {
  readonly codeId: string;
  /** `unknown`: a type that we do not know, and whose content is not handed over on a guess. */
  readonly kind: 'text' | 'image' | 'preorder' | 'unknown';
  /**
   * The key, or the image as base64. Null: ask for the code by its id (always so for a pre-order that an order lists), or
   * there is none. Secret.
   */
  readonly value: string | null;
  /** What an order shows of a pre-order in place of its key: not the key, which comes by the code's id. As secret as one. */
  readonly placeholder?: string;
  readonly fileName: string | null;
}

export interface SupplierOrderLine {
  readonly cwsProductId: string;
  readonly unitPrice: Cents | null;
  readonly codes: readonly SupplierCode[];
}

export interface SupplierOrderSummary {
  readonly cwsOrderId: string;
  /** Null for orders made without one, by hand in the panel for example. */
  readonly clientOrderId: string | null;
  readonly status: SupplierOrderStatus;
  readonly totalPrice: Cents | null;
  /** By the supplier's clock; null when absent or in a format that we do not know (it is not published). */
  readonly createdAt: Date | null;
}

/** Which orders the history is asked for. */
export interface HistoryWindow {
  /** By the supplier's clock. */
  readonly from: Date;
  readonly to: Date;
  /** What our own client order ids begin with, in whatever letters. */
  readonly ownPrefix: string;
  /** Told why entries of others were skipped: names of fields, never values. */
  readonly onSkipped?: (reasons: readonly string[]) => void;
}

export interface SupplierOrder extends SupplierOrderSummary {
  readonly lines: readonly SupplierOrderLine[];
}

/** What to buy. */
export interface PlaceOrder {
  /** Our own id of the purchase, the same however often it is sent. */
  readonly clientOrderId: string;
  readonly cwsProductId: string;
  /** 1 or more. */
  readonly quantity: number;
  /** The most that one piece may cost. */
  readonly unitPriceCap: Cents;
  /**
   * Called last, synchronously, before the first byte is written, and again before the one re-send after a 401. Throws
   * to stop: nothing is sent then, and placeOrder throws the same error.
   */
  readonly beforeSend?: () => void;
}

/** The account's money in its currency; fractions of a cent are rounded down. */
export interface SupplierAccount {
  readonly currentBalance: Cents;
  readonly currentCredit: Cents;
  readonly totalToUse: Cents;
}
