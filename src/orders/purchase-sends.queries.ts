import type { EntityManager } from 'typeorm';
import { type CwsAccount, lookupAccount } from './lookup-account.js';
import { UNFINISHED_ORDER_STATES } from './order-state.rules.js';
import { LOOKUP_WAYS, type LookupWay } from './purchase-lookup.entity.js';

/** One sending of a purchase: a worker that was frozen for a while must not judge a later one. */
export interface Sending {
  readonly id: string;
  readonly sendCount: number;
}

/**
 * Claims the next sending of a purchase that is not under way: one that was certainly never sent, or one whose last sending is
 * settled. Not before CWS has room again, never for an order that is over; of one that waits for a person, and has time, only what was never sent. Whoever gets true must send at once, or tell that it did not;
 * a claim that nobody acts on counts as sent.
 * @param sendCount as it was read: of two handlers one gets the claim.
 */
export async function claimSend(manager: EntityManager, purchaseId: string, sendCount: number): Promise<boolean> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE purchases SET send_count = send_count + 1, send_claimed_at = clock_timestamp(), settles_at = NULL,
       updated_at = now()
     WHERE id = $1 AND send_count = $2 AND (not_before IS NULL OR not_before <= clock_timestamp())
       AND (state = 'intended' AND send_count = 0 OR state = 'unknown' AND settles_at <= now())
       -- Locked, so that a person who settles the order at this moment is either too late or waited for.
       AND EXISTS (
         SELECT FROM order_items item JOIN orders ON orders.id = item.order_id
         WHERE item.id = order_item_id AND (orders.state = ANY ($3)
           OR orders.state = 'needs_attention' AND send_count = 0 AND orders.deadline_at > now())
         FOR SHARE OF orders
       )`,
    [purchaseId, sendCount, UNFINISHED_ORDER_STATES],
  );
  return affected > 0;
}

/**
 * The claimed sending certainly did not happen.
 * @param retryAfterSeconds how long the next one has to wait, whatever wakes the purchase.
 */
export async function undoSend(
  manager: EntityManager,
  purchaseId: string,
  reason: string,
  retryAfterSeconds: number,
): Promise<void> {
  await manager.query(
    `UPDATE purchases SET send_count = send_count - 1, last_error = left($2, 500), updated_at = now(),
       not_before = clock_timestamp() + make_interval(secs => $3),
       -- Of what was sent before nothing more can arrive: it was settled when this sending was claimed.
       settles_at = CASE state WHEN 'unknown' THEN now() END
     WHERE id = $1 AND state IN ('intended', 'unknown') AND send_count > 0`,
    [purchaseId, reason, retryAfterSeconds],
  );
}

/** From when on nothing of the last sending can still arrive at CWS. */
export async function settleAfter(manager: EntityManager, purchaseId: string, seconds: number): Promise<void> {
  await manager.query(
    `UPDATE purchases SET settles_at = clock_timestamp() + make_interval(secs => $2), updated_at = now()
     WHERE id = $1 AND state = 'unknown'`,
    [purchaseId, seconds],
  );
}

/** Whether both ways to look a purchase up have found one on this account, and neither has ever missed one. */
export async function areLookupsTrusted(manager: EntityManager, account: CwsAccount): Promise<boolean> {
  const [row] = await manager.query<[{ trusted: number }]>(
    `SELECT count(*)::integer AS trusted FROM purchase_lookups
     WHERE account = $1 AND found_at IS NOT NULL AND missed_at IS NULL`,
    [lookupAccount(account)],
  );
  return row.trusted === LOOKUP_WAYS.length;
}

/** A purchase that CWS has confirmed, to try the look-ups with. */
export interface ConfirmedPurchase {
  readonly id: string;
  readonly clientOrderId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
  /** All orders that CWS is known to have made for it. */
  readonly cwsOrderIds: readonly [string, ...string[]];
  readonly createdAt: Date;
}

/**
 * Confirmed purchases of the last day that the look-ups were not tried with yet, the oldest first; those younger than `ageSeconds`
 * wait, those of `options.except` are passed over.
 */
export async function purchasesToTry(
  manager: EntityManager,
  options: { ageSeconds: number; limit: number; except: readonly string[] },
): Promise<ConfirmedPurchase[]> {
  return manager.query<ConfirmedPurchase[]>(
    `SELECT id, client_order_id AS "clientOrderId", cws_product_id AS "cwsProductId", quantity,
       cws_order_id::text || other_cws_order_ids AS "cwsOrderIds", created_at AS "createdAt"
     FROM purchases
     WHERE cws_order_id IS NOT NULL AND lookups_checked_at IS NULL
       AND send_claimed_at <= now() - make_interval(secs => $1)
       AND created_at > now() - interval '24 hours' AND id <> ALL ($3::uuid[])
     ORDER BY created_at LIMIT $2`,
    [options.ageSeconds, options.limit, options.except],
  );
}

/** Notes what the look-ups of an account have shown for a purchase that exists there. */
export async function recordLookups(
  manager: EntityManager,
  account: CwsAccount,
  purchaseId: string,
  found: Readonly<Record<LookupWay, boolean>>,
): Promise<void> {
  await manager.query(
    `WITH checked AS (
       UPDATE purchases SET lookups_checked_at = now() WHERE id = $1 AND lookups_checked_at IS NULL RETURNING id
     )
     INSERT INTO purchase_lookups AS known (account, way, found_at, missed_at)
     SELECT $4, way, CASE WHEN is_found THEN now() END, CASE WHEN NOT is_found THEN now() END
     FROM checked, unnest($2::text[], $3::boolean[]) AS seen (way, is_found)
     ON CONFLICT (account, way) DO UPDATE SET
       found_at = coalesce(excluded.found_at, known.found_at),
       missed_at = coalesce(excluded.missed_at, known.missed_at)`,
    [purchaseId, LOOKUP_WAYS, LOOKUP_WAYS.map((way) => found[way]), lookupAccount(account)],
  );
}
