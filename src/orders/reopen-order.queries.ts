import type { EntityManager } from 'typeorm';

/** A purchase that a person has given up. */
export interface GivenUpPurchase {
  readonly id: string;
  readonly clientOrderId: string;
}

/** `last_error` of a purchase that a person has given up. */
export const GIVEN_UP = 'given up by a person';

/** A purchase whose outcome is unknown, and that can still happen. */
export interface UnsettledPurchase {
  readonly clientOrderId: string;
  /** Until then what was sent may still arrive at CWS. */
  readonly settlesAt: Date;
}

/** Those of an order. @param settleSeconds after a sending of which nobody has told what became of it: PURCHASE_SETTLE_SECONDS. */
export async function unsettledPurchases(
  manager: EntityManager,
  orderId: string,
  settleSeconds: number,
): Promise<UnsettledPurchase[]> {
  return manager.query<UnsettledPurchase[]>(
    `SELECT client_order_id AS "clientOrderId",
       coalesce(settles_at, send_claimed_at + make_interval(secs => $2)) AS "settlesAt"
     FROM purchases
     WHERE state = 'unknown' AND send_count > 0 AND (settles_at IS NULL OR settles_at > now())
       AND order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)
     ORDER BY created_at`,
    [orderId, settleSeconds],
  );
}

/**
 * Gives up the purchases of an order whose outcome is unknown, but not while something that was sent can still arrive. They are
 * watched: a key that comes after all is stored.
 */
export async function abandonUnknownPurchases(manager: EntityManager, orderId: string): Promise<GivenUpPurchase[]> {
  const [rows] = await manager.query<[GivenUpPurchase[], number]>(
    `UPDATE purchases SET state = 'dead', updated_at = now(), last_error = '${GIVEN_UP}',
       watched_until = CASE WHEN send_count > 0 THEN now() + interval '24 hours' END
     WHERE state = 'unknown' AND (send_count = 0 OR settles_at <= now()) AND order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)
     RETURNING id, client_order_id AS "clientOrderId"`,
    [orderId],
  );
  return rows;
}

/** One that CWS had accepted: what it has not brought is owed again. */
export interface GivenUpAcceptedPurchase extends GivenUpPurchase {
  readonly orderItemId: string;
  readonly cwsProductId: string;
  /** Pieces of it whose key has not come. */
  readonly missingKeys: number;
}

/**
 * Gives up these purchases of an order that CWS has accepted, and watches them, pre-orders aside. To be called under the order's
 * lock. @param references their ids or client order ids, in lower case.
 */
export async function abandonAcceptedPurchases(
  manager: EntityManager,
  orderId: string,
  references: readonly string[],
): Promise<GivenUpAcceptedPurchase[]> {
  const [rows] = await manager.query<[GivenUpAcceptedPurchase[], number]>(
    `UPDATE purchases purchase SET state = 'dead', updated_at = now(), last_error = '${GIVEN_UP}',
       watched_until = now() + interval '24 hours'
     WHERE state = 'fulfilling' AND awaited_preorders = 0
       AND (id::text = ANY ($2) OR lower(client_order_id) = ANY ($2))
       AND order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)
     RETURNING id, client_order_id AS "clientOrderId", order_item_id AS "orderItemId", cws_product_id AS "cwsProductId",
       quantity - (SELECT count(*)::integer FROM keys WHERE purchase_id = purchase.id) AS "missingKeys"`,
    [orderId, references],
  );
  return rows;
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
