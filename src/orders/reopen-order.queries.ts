import type { EntityManager } from 'typeorm';

/**
 * Gives up the purchases of an order whose outcome is unknown, but not while something that was sent can still arrive. They are
 * watched: a key that comes after all is stored. @returns their ids.
 */
export async function abandonUnknownPurchases(manager: EntityManager, orderId: string): Promise<string[]> {
  const [rows] = await manager.query<[{ id: string }[], number]>(
    `UPDATE purchases SET state = 'dead', updated_at = now(), last_error = 'given up by a person',
       watched_until = CASE WHEN send_count > 0 THEN now() + interval '24 hours' END
     WHERE state = 'unknown' AND (send_count = 0 OR settles_at <= now()) AND order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)
     RETURNING id`,
    [orderId],
  );
  return rows.map((row) => row.id);
}

/** Takes an order out of a person's hands again, with a new deadline. */
export async function reopenOrder(manager: EntityManager, orderId: string, deadlineSeconds: number): Promise<void> {
  await manager.query(
    `UPDATE orders SET state = 'purchasing', attention_reason = NULL, updated_at = now(),
       deadline_at = now() + make_interval(secs => $2)
     WHERE id = $1 AND state = 'needs_attention'`,
    [orderId, deadlineSeconds],
  );
}
