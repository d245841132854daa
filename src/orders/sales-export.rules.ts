import { type Cents, cents, formatCents, NO_CENTS } from '../money/cents.js';
import { marketplaceFee } from '../pricing/listing-price.rules.js';
import { parseFeeRate, type PricingTerms } from '../pricing/pricing-terms.js';
import type { PurchaseAgainstSale } from './sales-export.queries.js';

/** A line of the export, column by column. Money is decimal text: sales in EUR, costs in the currency of the CWS account. */
export interface ExportRow {
  readonly sold_at: string;
  readonly g2a_order_id: string;
  readonly order_id: string;
  readonly order_state: string;
  readonly g2a_product_id: string;
  readonly quantity_sold: string;
  /** Per piece. */
  readonly sale_price: string;
  /** What G2A keeps of the pieces sold. */
  readonly fee: string;
  /** What the pieces sold bring after the fee. */
  readonly net: string;
  readonly purchased_at: string;
  readonly purchase_id: string;
  readonly client_order_id: string;
  /** Several, with spaces between them, when CWS made the purchase more than once. */
  readonly cws_order_id: string;
  readonly cws_product_id: string;
  readonly purchase_state: string;
  readonly quantity_bought: string;
  /** Empty while CWS has not told it. */
  readonly unit_cost: string;
  readonly total_cost: string;
  /** Net less total cost. */
  readonly margin: string;
  /** What is not certain about the cost; empty: nothing. */
  readonly cost_note: string;
}

export const EXPORT_COLUMNS = [
  'sold_at',
  'g2a_order_id',
  'order_id',
  'order_state',
  'g2a_product_id',
  'quantity_sold',
  'sale_price',
  'fee',
  'net',
  'purchased_at',
  'purchase_id',
  'client_order_id',
  'cws_order_id',
  'cws_product_id',
  'purchase_state',
  'quantity_bought',
  'unit_cost',
  'total_cost',
  'margin',
  'cost_note',
] as const satisfies readonly (keyof ExportRow)[];

/** The line of a purchase. Fees are those of the mapping as it is now, or the defaults. */
export function exportRow(purchase: PurchaseAgainstSale, defaults: PricingTerms): ExportRow {
  const { feePercentage, salePriceCents, soldQuantity, boughtQuantity, unitPriceCents } = purchase;
  const terms = feePercentage === null ? defaults : { ...defaults, feePercentage: parseFeeRate(feePercentage) };
  const fee = times(marketplaceFee(salePriceCents, terms), soldQuantity);
  const net = cents(times(salePriceCents, soldQuantity) - fee);
  const cost = unitPriceCents === null ? null : times(unitPriceCents, boughtQuantity);
  return {
    sold_at: purchase.soldAt.toISOString(),
    g2a_order_id: String(purchase.g2aOrderId),
    order_id: purchase.orderId,
    order_state: purchase.orderState,
    g2a_product_id: String(purchase.g2aProductId),
    quantity_sold: String(soldQuantity),
    sale_price: formatCents(salePriceCents),
    fee: formatCents(fee),
    net: formatCents(net),
    purchased_at: purchase.purchasedAt.toISOString(),
    purchase_id: purchase.purchaseId,
    client_order_id: purchase.clientOrderId,
    cws_order_id: purchase.cwsOrderIds.join(' '),
    cws_product_id: purchase.cwsProductId,
    purchase_state: purchase.purchaseState,
    quantity_bought: String(boughtQuantity),
    unit_cost: unitPriceCents === null ? '' : formatCents(unitPriceCents),
    total_cost: cost === null ? '' : formatCents(cost),
    margin: cost === null ? '' : formatCents(cents(net - cost)),
    cost_note: costNote(purchase),
  };
}

function costNote({ isGivenUp, purchaseState, cwsOrderIds }: PurchaseAgainstSale): string {
  if (isGivenUp && cwsOrderIds.length > 0) return 'given up: paid unless CWS takes it back';
  return isGivenUp || purchaseState === 'unknown' || purchaseState === 'intended' ? 'may have been paid' : '';
}

function times(amount: Cents, quantity: number): Cents {
  return quantity === 0 ? NO_CENTS : cents(amount * quantity);
}

/** A line of CSV (RFC 4180), without its end. */
export function csvLine(values: readonly string[]): string {
  return values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',');
}
