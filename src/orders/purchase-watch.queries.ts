import type { EntityManager } from 'typeorm';

/** So long CWS is asked about a purchase that is over, and may have been made once more. */
export const WATCH_HOURS = 24;

/** From now on CWS is asked what it has under our id of this purchase, also when it is over: see idlePurchases. */
export async function watchPurchase(manager: EntityManager, id: string): Promise<void> {
  await manager.query(
    `UPDATE purchases SET watched_until = now() + make_interval(hours => $2), updated_at = now() WHERE id = $1`,
    [id, WATCH_HOURS],
  );
}

/** CWS was asked about a purchase that is over. */
export async function touchPurchase(manager: EntityManager, id: string): Promise<void> {
  await manager.query('UPDATE purchases SET updated_at = now() WHERE id = $1', [id]);
}

/** Notes the orders that CWS has made for a purchase. @param cwsOrderIds all that are known, the first known one first. */
export async function noteSupplierOrders(
  manager: EntityManager,
  id: string,
  [first, ...others]: readonly [string, ...string[]],
): Promise<void> {
  await manager.query('UPDATE purchases SET cws_order_id = $2, other_cws_order_ids = $3 WHERE id = $1', [
    id,
    first,
    others,
  ]);
}
