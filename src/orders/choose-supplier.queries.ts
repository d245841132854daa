import type { EntityManager } from 'typeorm';

/** CWS refused a purchase for the product's sake: sold out, gone, or the price. */
export async function noteRefusal(manager: EntityManager, purchaseId: string): Promise<void> {
  await manager.query('UPDATE purchases SET refused_at = clock_timestamp() WHERE id = $1', [purchaseId]);
}

/**
 * Supplier products that were refused for this item, or taken back, and that CWS has shown unchanged since: what it says of them
 * is not true.
 */
export async function refusedSuppliers(manager: EntityManager, orderItemId: string): Promise<ReadonlySet<string>> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT product.cws_product_id AS id
     FROM purchases purchase JOIN supplier_products product USING (cws_product_id)
     WHERE purchase.order_item_id = $1 AND purchase.state = 'dead'
       AND (purchase.refused_at IS NOT NULL OR purchase.cws_order_id IS NOT NULL)
       -- A change since the choice was made, or since it was taken back (taking it had changed the stock).
       AND product.changed_at <= CASE WHEN purchase.refused_at IS NULL THEN purchase.updated_at ELSE purchase.created_at END`,
    [orderItemId],
  );
  return new Set(rows.map(({ id }) => id));
}

/** What went wrong with the item's last purchase; null when there is nothing to tell. */
export async function lastFailure(manager: EntityManager, orderItemId: string): Promise<string | null> {
  const [row] = await manager.query<{ error: string | null }[]>(
    'SELECT last_error AS error FROM purchases WHERE order_item_id = $1 ORDER BY created_at DESC LIMIT 1',
    [orderItemId],
  );
  return row?.error ?? null;
}
