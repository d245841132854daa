import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { OrderState, PurchaseState } from './order-state.rules.js';
import { GIVEN_UP } from './reopen-order.queries.js';

/** A purchase that cost money, or may have, beside the sale that it was made for. */
export interface PurchaseAgainstSale {
  readonly purchaseId: string;
  readonly orderId: string;
  readonly g2aOrderId: number;
  readonly orderState: OrderState;
  readonly g2aProductId: number;
  /** What the customer paid per piece at worst, in EUR. */
  readonly salePriceCents: Cents;
  /** Null: the mapping has none of its own, or is gone. */
  readonly feePercentage: string | null;
  readonly clientOrderId: string;
  /** None while CWS has not told it; several when CWS made it more than once. */
  readonly cwsOrderIds: readonly string[];
  readonly cwsProductId: string;
  readonly purchaseState: PurchaseState;
  /** It is over without having been taken back: a person gave it up, or CWS made it after its refusal. */
  readonly isGivenUp: boolean;
  readonly unitPriceCents: Cents | null;
  /** Pieces that were paid for, or may have been: of a purchase that CWS took back, or made more than once, the codes that came. */
  readonly boughtQuantity: number;
  /**
   * Those among them that the sale needed, none when it was paid back; what earlier purchases brought counts first, of those that
   * were given up the codes that came.
   */
  readonly soldQuantity: number;
  readonly soldAt: Date;
  readonly purchasedAt: Date;
}

/** After which row a page begins. */
export type ExportPosition = Pick<PurchaseAgainstSale, 'soldAt' | 'purchaseId'>;

/**
 * Part of a query of `purchases purchase`: it is over, and may have been paid all the same. What CWS took back, as
 * SettlePurchaseService notes it, was not; nor what it has no order for, unless a person gave up on it.
 */
const IS_GIVEN_UP = `(purchase.state = 'dead' AND coalesce(purchase.last_error, '') NOT LIKE 'CWS: %'
  AND (purchase.cws_order_id IS NOT NULL OR purchase.send_count > 0 AND purchase.last_error = '${GIVEN_UP}'))`;

/** Purchases of orders paid for within [from, to), in the order of the sales; those that certainly cost nothing are left out. */
export async function purchasesAgainstSales(
  manager: EntityManager,
  page: { from: Date; to: Date; after: ExportPosition | null; limit: number },
): Promise<PurchaseAgainstSale[]> {
  return manager.query<PurchaseAgainstSale[]>(
    `WITH page AS (
       SELECT purchase.id, date_trunc('milliseconds', orders.created_at) AS sold_at
       FROM orders JOIN order_items item ON item.order_id = orders.id JOIN purchases purchase ON order_item_id = item.id
       WHERE orders.created_at >= $1 AND orders.created_at < $2
         AND (purchase.state <> 'dead' OR ${IS_GIVEN_UP} OR EXISTS (SELECT FROM keys WHERE order_item_id = item.id AND purchase_id = purchase.id))
         AND ($3::timestamptz IS NULL OR (date_trunc('milliseconds', orders.created_at), purchase.id) > ($3, $4::uuid))
       ORDER BY sold_at, purchase.id LIMIT $5
     ), bought AS NOT MATERIALIZED (
       SELECT purchase.*, ${IS_GIVEN_UP} AS is_given_up, CASE WHEN state <> 'dead' AND other_cws_order_ids = '{}' THEN quantity
         ELSE greatest(CASE WHEN state <> 'dead' THEN quantity ELSE 0 END, (
           SELECT count(*)::integer FROM keys
           WHERE order_item_id = purchase.order_item_id AND purchase_id = purchase.id
         )) END AS pieces
       FROM purchases purchase
     )
     SELECT purchase.id AS "purchaseId", orders.id AS "orderId", orders.g2a_order_id AS "g2aOrderId",
       orders.state AS "orderState", item.g2a_product_id AS "g2aProductId", item.sale_price_cents AS "salePriceCents",
       mapping.fee_percentage::text AS "feePercentage", purchase.client_order_id AS "clientOrderId",
       array_remove(purchase.cws_order_id::text || purchase.other_cws_order_ids, NULL) AS "cwsOrderIds",
       purchase.cws_product_id AS "cwsProductId",
       purchase.state AS "purchaseState", purchase.is_given_up AS "isGivenUp", purchase.unit_price_cents AS "unitPriceCents",
       CASE WHEN purchase.is_given_up THEN greatest(purchase.quantity, purchase.pieces) ELSE purchase.pieces END AS "boughtQuantity",
       CASE orders.state WHEN 'failed' THEN 0
         ELSE greatest(0, least(purchase.pieces, item.quantity - earlier.pieces)) END AS "soldQuantity",
       page.sold_at AS "soldAt", purchase.created_at AS "purchasedAt"
     FROM page
     JOIN bought purchase ON purchase.id = page.id
     JOIN order_items item ON item.id = purchase.order_item_id
     JOIN orders ON orders.id = item.order_id
     LEFT JOIN product_mappings mapping ON mapping.g2a_product_id = item.g2a_product_id
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(pieces), 0)::integer AS pieces FROM bought
       WHERE bought.order_item_id = item.id AND (bought.created_at, bought.id) < (purchase.created_at, purchase.id)
     ) earlier
     ORDER BY page.sold_at, page.id`,
    [page.from, page.to, page.after?.soldAt ?? null, page.after?.purchaseId ?? null, page.limit],
  );
}
