import type { EntityManager } from 'typeorm';
import { openPiecesOf } from './purchases.queries.js';

/**
 * Orders that nobody has touched for `idleSeconds`: their wake-up may have been lost. Unfinished ones, and those that a person was
 * called for, in time and once after their deadline.
 */
export async function idleOrders(manager: EntityManager, idleSeconds: number): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM orders
     WHERE (state IN ('accepted', 'purchasing', 'fulfilling') OR state = 'needs_attention' AND updated_at < deadline_at)
       AND updated_at <= now() - make_interval(secs => $1)
     ORDER BY created_at LIMIT 1000`,
    [idleSeconds],
  );
  return rows.map((row) => row.id);
}

/**
 * Orders that miss a piece for which nothing is under way, and of whose suppliers CWS has shown something new since the order was
 * looked at. Not those that a purchase came to nothing for just now: what CWS took back is not asked for in a loop.
 */
export async function ordersWithNewSupply(manager: EntityManager, restSeconds: number): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT orders.id FROM orders
     WHERE (orders.state IN ('accepted', 'purchasing') OR orders.state = 'needs_attention' AND orders.deadline_at > now())
       AND EXISTS (
         SELECT FROM order_items item
         JOIN product_mapping_suppliers link USING (g2a_product_id)
         JOIN supplier_products product USING (cws_product_id)
         WHERE item.order_id = orders.id AND product.changed_at > orders.updated_at
           AND (SELECT count(*) FROM keys WHERE order_item_id = item.id) + (
             SELECT coalesce(sum(${openPiecesOf('live')}), 0) FROM purchases live
             WHERE live.order_item_id = item.id AND live.state IN ('intended', 'unknown', 'fulfilling')) < item.quantity
           AND NOT EXISTS (
             SELECT FROM purchases purchase WHERE purchase.order_item_id = item.id
               AND coalesce(purchase.refused_at, purchase.created_at) > now() - make_interval(secs => $1))
       )
     ORDER BY orders.created_at LIMIT 1000`,
    [restSeconds],
  );
  return rows.map((row) => row.id);
}

/**
 * Purchases that may still bring a key to an order that nobody works on any more (it waits for a person, or one has settled it), and that
 * nobody has looked at for `idleSeconds`: their wake-up may have been lost. Those too that are over and watched.
 * @param limits.maxAgeSeconds older ones are a person's business, pre-orders aside.
 */
export async function idlePurchases(
  manager: EntityManager,
  limits: { idleSeconds: number; maxAgeSeconds: number },
): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT purchase.id FROM purchases purchase
     JOIN order_items item ON item.id = purchase.order_item_id
     JOIN orders ON orders.id = item.order_id
     WHERE (purchase.state IN ('intended', 'unknown', 'fulfilling')
         AND orders.state NOT IN ('accepted', 'purchasing', 'fulfilling')
         AND (purchase.created_at > now() - make_interval(secs => $2) OR purchase.awaited_preorders > 0)
         OR purchase.watched_until > now())
       AND purchase.updated_at <= now() - make_interval(secs => $1)
     ORDER BY purchase.created_at LIMIT 1000`,
    [limits.idleSeconds, limits.maxAgeSeconds],
  );
  return rows.map((row) => row.id);
}
