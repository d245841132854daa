import type { EntityManager } from 'typeorm';
import type { PurchaseState } from './order-state.rules.js';
import { openPiecesOf } from './purchases.queries.js';

/** A purchase that has ended without a word of CWS, and the state that it was in. */
export interface AbandonedPurchase {
  readonly id: string;
  readonly from: PurchaseState;
}

/**
 * Gives up purchases of an order that were certainly never sent: those that would bring more than their item misses beside what was
 * sent and the older unsent ones, or all. To be called under the order's lock.
 */
export async function abandonUnsentPurchases(
  manager: EntityManager,
  orderId: string,
  which: 'unneeded' | 'all',
): Promise<AbandonedPurchase[]> {
  const [rows] = await manager.query<[AbandonedPurchase[], number]>(
    `UPDATE purchases purchase SET state = 'dead', updated_at = now(), last_error = 'never sent, and not needed any more'
     FROM (
       SELECT live.id, live.state FROM purchases live JOIN order_items item ON item.id = live.order_item_id
       WHERE item.order_id = $1 AND live.state IN ('intended', 'unknown') AND live.send_count = 0
         AND ($2 = 'all'
           OR (SELECT count(*) FROM keys WHERE keys.order_item_id = item.id) + (
             SELECT sum(${openPiecesOf('other')}) FROM purchases other
             WHERE other.order_item_id = item.id AND other.state IN ('intended', 'unknown', 'fulfilling')
               AND (other.send_count > 0 OR (other.created_at, other.id) <= (live.created_at, live.id))
           ) > item.quantity)
       FOR UPDATE OF live
     ) unsent
     WHERE purchase.id = unsent.id
     RETURNING purchase.id, unsent.state AS "from"`,
    [orderId, which],
  );
  return rows;
}
