import type { EntityManager } from 'typeorm';
import type { RefusedPurchase } from './passed-over.rules.js';

/** CWS did not sell a product that it shows (sold out, gone, or the price), or has taken the order back. */
export async function noteRefusal(manager: EntityManager, purchaseId: string): Promise<void> {
  await manager.query('UPDATE purchases SET refused_at = clock_timestamp() WHERE id = $1', [purchaseId]);
}

/** What was not sold for an item. */
export async function refusedPurchases(manager: EntityManager, orderItemId: string): Promise<RefusedPurchase[]> {
  return manager.query<RefusedPurchase[]>(
    `SELECT cws_product_id AS "cwsProductId", quantity, price_cap_cents AS "priceCap",
       extract(epoch FROM clock_timestamp() - refused_at)::float8 AS "ageSeconds"
     FROM purchases
     WHERE order_item_id = $1 AND state = 'dead' AND refused_at IS NOT NULL`,
    [orderItemId],
  );
}

/** Suppliers that do not show the stock any more which they had refused to sell: what they show from now on is news. */
export async function forgetRefusalsOfSoldOut(manager: EntityManager, orderItemId: string): Promise<void> {
  await manager.query(
    `UPDATE purchases purchase SET refused_at = NULL FROM supplier_products product
     WHERE purchase.order_item_id = $1 AND purchase.refused_at IS NOT NULL
       AND product.cws_product_id = purchase.cws_product_id AND (product.is_gone OR product.quantity < purchase.quantity)`,
    [orderItemId],
  );
}

/** Why the item's last purchase that came to nothing did; null when there is nothing to tell. */
export async function lastFailure(manager: EntityManager, orderItemId: string): Promise<string | null> {
  const [row] = await manager.query<{ error: string | null }[]>(
    `SELECT last_error AS error FROM purchases WHERE order_item_id = $1 AND state = 'dead' ORDER BY created_at DESC LIMIT 1`,
    [orderItemId],
  );
  return row?.error ?? null;
}
