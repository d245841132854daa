import type { EntityManager } from 'typeorm';
import type { SupplierOrderSummary } from '../cws/cws.types.js';
import { WATCH_HOURS } from './purchase-watch.queries.js';

/** What every client order id of this installation begins with. */
export async function clientOrderIdPrefix(manager: EntityManager): Promise<string> {
  const [row] = await manager.query<[{ prefix: string }]>(
    `SELECT 'KF-' || left(installation_id::text, 8) || '-' AS prefix FROM control_state`,
  );
  return row.prefix;
}

/** Names the database that is there now: another name after a restart of its server, a failover or a restore into a new database. */
export async function databaseServer(manager: EntityManager): Promise<string> {
  const [row] = await manager.query<[{ name: string }]>(
    `SELECT concat_ws(' ', pg_postmaster_start_time(), oid) AS name FROM pg_database WHERE datname = current_database()`,
  );
  return row.name;
}

/**
 * Notes those of these orders that are no purchase of ours that was sent. One of a purchase that this database says was never sent
 * shows as well that it is an older one: without the commit of the sending. Such a purchase counts as sent from here on, and
 * is looked up: it is never bought again, and its key is fetched.
 *
 * A sending is committed before its request leaves, and is undone only when CWS certainly did not get it: whatever was listed
 * before this statement began has been sent, unless the database is older.
 * @returns how many are open, older ones included.
 */
export async function noteUnmatched(
  manager: EntityManager,
  orders: readonly (SupplierOrderSummary & { readonly clientOrderId: string })[],
): Promise<number> {
  const [row] = await manager.query<[{ open: number }]>(
    `WITH unmatched AS MATERIALIZED (
       SELECT listed.* FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS listed (id, reference, ordered_at)
       WHERE NOT EXISTS (
         SELECT FROM purchases
         WHERE lower(client_order_id) = lower(listed.reference) AND (send_count > 0 OR cws_order_id IS NOT NULL)
       )
     ), noted AS (
       INSERT INTO unmatched_supplier_orders (cws_order_id, client_order_id, ordered_at)
       SELECT id, reference, ordered_at FROM unmatched
       ON CONFLICT DO NOTHING
       RETURNING cws_order_id
     ), sent AS (
       UPDATE purchases SET send_count = 1, settles_at = CASE state WHEN 'unknown' THEN now() END,
         last_error = 'CWS has an order of it, though the database said that it was never sent',
         watched_until = now() + make_interval(hours => $4), updated_at = now()
       WHERE send_count = 0 AND lower(client_order_id) IN (SELECT lower(reference) FROM unmatched)
     )
     SELECT ((SELECT count(*) FROM noted)
       + (SELECT count(*) FROM unmatched_supplier_orders WHERE resolved_at IS NULL))::integer AS open`,
    [
      orders.map((order) => order.cwsOrderId),
      orders.map((order) => order.clientOrderId),
      orders.map((order) => order.createdAt),
      WATCH_HOURS,
    ],
  );
  return row.open;
}

/** One that waits for a person, or was looked into. */
export interface UnmatchedOrder {
  readonly cwsOrderId: string;
  readonly clientOrderId: string;
  readonly orderedAt: Date | null;
  readonly foundAt: Date;
}

/** Those that nobody has looked into yet, the oldest first. */
export async function openUnmatched(manager: EntityManager): Promise<UnmatchedOrder[]> {
  return manager.query<UnmatchedOrder[]>(
    `SELECT cws_order_id AS "cwsOrderId", client_order_id AS "clientOrderId", ordered_at AS "orderedAt",
       found_at AS "foundAt"
     FROM unmatched_supplier_orders WHERE resolved_at IS NULL ORDER BY ordered_at NULLS FIRST, cws_order_id`,
  );
}

/** A person has found out what became of one. @returns whether it was open. */
export async function resolveUnmatched(
  manager: EntityManager,
  cwsOrderId: string,
  resolution: { actor: string; note: string },
): Promise<boolean> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE unmatched_supplier_orders SET resolved_at = now(), resolved_by = left($2, 64), note = left($3, 500)
     WHERE cws_order_id = $1 AND resolved_at IS NULL`,
    [cwsOrderId, resolution.actor, resolution.note],
  );
  return affected > 0;
}
