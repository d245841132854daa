import { cents, NO_CENTS } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { keepsFloor } from './listing-price.rules.js';
import { atWorst } from './price-guard.rules.js';
import { type NoPriceReason, type PriceConditions, shownPrices } from './shown-prices.rules.js';
import { cheapestSupplier, deliverableUnitPrice, hasStock } from './supplier-choice.rules.js';
import type { SupplierOffer } from './supplier-choice.rules.js';

/**
 * Why a product is not offered:
 * - `out_of_stock`: no supplier has a released key left, or no more than the stock buffer;
 * - `no_price`: there are keys, but none with a positive price for a single one;
 * - `price_above_maximum`: the lowest price that keeps the profit and every minimum is above a maximum;
 * - `no_profitable_price`: by the marketplace's own word, its fees take all of any price;
 * - `price_unconfirmed`: selling at the accepted price of whoever has keys would lose money, should what the supplier shows
 *   now, and is not believed yet, be true.
 */
export type NotSellableReason = 'out_of_stock' | 'no_price' | NoPriceReason | 'price_unconfirmed';

/** What the marketplace should show for one product, or why nothing. */
export type ListingDecision =
  | {
      readonly isSellable: true;
      /** For consumers; for companies where only they see the offer. */
      readonly price: Cents;
      /** For companies; the same as `price` where the offer shows one price only. */
      readonly businessPrice: Cents;
      /** Unit price of a single key at the cheapest supplier. */
      readonly cost: Cents;
      readonly cwsProductId: string;
      /** What a sale at `price` from that supplier earns at worst: net income less cost, at least the required profit. */
      readonly profit: Cents;
      /** Stock to declare, from 1 to `maxDeclaredStock`. */
      readonly size: number;
    }
  | { readonly isSellable: false; readonly reason: NotSellableReason };

export interface ListingInput extends PriceConditions {
  /** Alternative suppliers of the same product, in the mapping's order. */
  readonly suppliers: readonly SupplierOffer[];
  /** Keys never declared, 0 or more: they absorb what others buy between two looks at the supplier. */
  readonly stockBuffer: number;
  /** The most that is declared. */
  readonly maxDeclaredStock: number;
}

/**
 * Price, stock and supplier of one listing. Cost is that of a single key, as last accepted: a buyer may take just one. A
 * supplier that would lose money at the price it leads to, if its unconfirmed price is true, is passed over.
 */
export function decideListing(input: ListingInput): ListingDecision {
  const { suppliers, stockBuffer, maxDeclaredStock } = input;
  const supplier = cheapestSupplier(suppliers.filter((candidate) => !mayLoseMoney(candidate, input)));
  if (supplier === null) return { isSellable: false, reason: whyNobodyDelivers(suppliers) };
  const { cwsProductId, unitPrice: cost } = supplier;
  const shown = shownPrices(cost, input);
  if (typeof shown === 'string') return { isSellable: false, reason: shown };

  const size = Math.min(keysWithin(shown.lowestIncome, suppliers) - stockBuffer, maxDeclaredStock);
  if (size < 1) return { isSellable: false, reason: 'out_of_stock' };
  const { price, businessPrice, income } = shown;
  return { isSellable: true, price, businessPrice, cost, cwsProductId, profit: cents(income - cost), size };
}

/** Whether an unconfirmed price, should it be true, is more than a sale at the price of the accepted one brings, or unknown. */
function mayLoseMoney(supplier: SupplierOffer, conditions: PriceConditions): boolean {
  const cost = deliverableUnitPrice(supplier, 1);
  if (cost === null || (supplier.unconfirmedBands ?? null) === null) return false;
  const worstCost = deliverableUnitPrice(atWorst(supplier), 1);
  if (worstCost === null) return true;
  const shown = shownPrices(cost, conditions);
  return typeof shown !== 'string' && worstCost > shown.lowestIncome;
}

function whyNobodyDelivers(suppliers: readonly SupplierOffer[]): NotSellableReason {
  // Whoever has a price and keys was passed over.
  if (cheapestSupplier(suppliers) !== null) return 'price_unconfirmed';
  return suppliers.some((candidate) => hasStock(candidate)) ? 'no_price' : 'out_of_stock';
}

/**
 * How many keys can be delivered without loss by what a sale brings: those of every supplier whose single key costs no more, be
 * an unconfirmed price true or not. 1 key at 5.00 and 200 at 9.00 are 1, not 201, when the price follows from 5.00.
 */
export function keysWithin(income: Cents, suppliers: readonly SupplierOffer[]): number {
  let keys = 0;
  for (const supplier of suppliers) {
    const unitPrice = deliverableUnitPrice(atWorst(supplier), 1);
    if (unitPrice !== null && keepsFloor(unitPrice, income, NO_CENTS)) keys += supplier.available;
  }
  return keys;
}
