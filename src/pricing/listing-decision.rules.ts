import { cents, NO_CENTS } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { keepsFloor, listingPrice, netIncome } from './listing-price.rules.js';
import { priceWithinBounds } from './price-bounds.rules.js';
import type { PriceBounds, PricingTerms } from './pricing-terms.js';
import { cheapestSupplier, deliverableUnitPrice, hasStock } from './supplier-choice.rules.js';
import type { SupplierOffer } from './supplier-choice.rules.js';

/**
 * Why a product is not offered:
 * - `out_of_stock`: no supplier has a released key left, or no more than the stock buffer;
 * - `no_price`: there are keys, but none with a positive price for a single one;
 * - `price_above_maximum`: the lowest price that keeps the profit and every minimum is above a maximum.
 */
export type NotSellableReason = 'out_of_stock' | 'no_price' | 'price_above_maximum';

/** What the marketplace should show for one product, or why nothing. */
export type ListingDecision =
  | {
      readonly isSellable: true;
      readonly price: Cents;
      /** Unit price of a single key at the cheapest supplier. */
      readonly cost: Cents;
      readonly cwsProductId: string;
      /** What a sale from that supplier earns: net income less cost, at least the required profit. */
      readonly profit: Cents;
      /** Stock to declare, from 1 to `maxDeclaredStock`. */
      readonly size: number;
    }
  | { readonly isSellable: false; readonly reason: NotSellableReason };

export interface ListingInput {
  /** Alternative suppliers of the same product, in the mapping's order. */
  readonly suppliers: readonly SupplierOffer[];
  readonly terms: PricingTerms;
  /** Keys never declared, 0 or more: they absorb what others buy between two looks at the supplier. */
  readonly stockBuffer: number;
  /** The most that is declared. */
  readonly maxDeclaredStock: number;
  /** The marketplace's own limits for this product. Default: none known. */
  readonly marketplaceBounds?: PriceBounds;
}

const UNBOUNDED: PriceBounds = { minPrice: null, maxPrice: null };

/** Price, stock and supplier of one listing. Cost is that of a single key: a buyer may take just one. */
export function decideListing(input: ListingInput): ListingDecision {
  const { suppliers, terms, stockBuffer, maxDeclaredStock, marketplaceBounds = UNBOUNDED } = input;
  const supplier = cheapestSupplier(suppliers);
  if (supplier === null) {
    const hasUnpricedStock = suppliers.some((candidate) => hasStock(candidate));
    return { isSellable: false, reason: hasUnpricedStock ? 'no_price' : 'out_of_stock' };
  }
  const { cwsProductId, unitPrice: cost } = supplier;
  const price = priceWithinBounds(listingPrice(cost, terms), terms.charmEnding ?? null, [terms, marketplaceBounds]);
  if (price === null) return { isSellable: false, reason: 'price_above_maximum' };

  const size = Math.min(sellableAt(price, suppliers, terms) - stockBuffer, maxDeclaredStock);
  if (size < 1) return { isSellable: false, reason: 'out_of_stock' };
  return { isSellable: true, price, cost, cwsProductId, profit: cents(netIncome(price, terms) - cost), size };
}

/**
 * How many keys can be delivered at this price without loss: those of every supplier whose single key costs no more than
 * the sale brings. 1 key at 5.00 and 200 at 9.00 are 1, not 201, when the price follows from 5.00.
 */
export function sellableAt(price: Cents, suppliers: readonly SupplierOffer[], terms: PricingTerms): number {
  let keys = 0;
  for (const supplier of suppliers) {
    const unitPrice = deliverableUnitPrice(supplier, 1);
    if (unitPrice !== null && keepsFloor(unitPrice, price, terms, NO_CENTS)) keys += supplier.available;
  }
  return keys;
}
