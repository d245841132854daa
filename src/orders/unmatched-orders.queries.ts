import type { EntityManager } from 'typeorm';
import type { SupplierOrderSummary } from '../cws/cws.types.js';

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

/** Notes those of these orders that are no purchase of ours. @returns how many are open, older ones included. */
export async function noteUnmatched(
  manager: EntityManager,
  orders: readonly (SupplierOrderSummary & { readonly clientOrderId: string })[],
): Promise<number> {
  const [row] = await manager.query<[{ open: number }]>(
    `WITH noted AS (
       INSERT INTO unmatched_supplier_orders (cws_order_id, client_order_id, ordered_at)
       SELECT listed.id, listed.reference, listed.ordered_at
       FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS listed (id, reference, ordered_at)
       WHERE NOT EXISTS (SELECT FROM purchases WHERE lower(client_order_id) = lower(listed.reference))
       ON CONFLICT DO NOTHING
       RETURNING cws_order_id
     )
     SELECT ((SELECT count(*) FROM noted)
       + (SELECT count(*) FROM unmatched_supplier_orders WHERE resolved_at IS NULL))::integer AS open`,
    [
      orders.map((order) => order.cwsOrderId),
      orders.map((order) => order.clientOrderId),
      orders.map((order) => order.createdAt),
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
