import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';

/** A reservation item about to be written. */
export interface NewReservationItem {
  readonly id: string;
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly salePriceCents: Cents;
  readonly quotedUnitPrice: string | null;
  readonly quotedBasePrice: string | null;
}

/** Writes an active reservation with its items, valid for `ttlSeconds` from now. */
export async function insertReservation(
  manager: EntityManager,
  id: string,
  items: readonly NewReservationItem[],
  ttlSeconds: number,
): Promise<void> {
  await manager.query(
    `WITH reservation AS (
       INSERT INTO reservations (id, state, expires_at) VALUES ($1, 'active', now() + make_interval(secs => $2))
       RETURNING id
     )
     INSERT INTO reservation_items
       (id, reservation_id, g2a_product_id, quantity, sale_price_cents, quoted_unit_price, quoted_base_price)
     SELECT item.id, reservation.id, product, quantity, price, unit_price, base_price
     FROM reservation,
       unnest($3::uuid[], $4::bigint[], $5::integer[], $6::integer[], $7::text[], $8::text[])
         AS item (id, product, quantity, price, unit_price, base_price)`,
    [
      id,
      ttlSeconds,
      items.map((item) => item.id),
      items.map((item) => item.g2aProductId),
      items.map((item) => item.quantity),
      items.map((item) => item.salePriceCents),
      items.map((item) => item.quotedUnitPrice),
      items.map((item) => item.quotedBasePrice),
    ],
  );
}

/** A reservation, locked until the transaction ends, as the database's clock sees it. */
export interface LockedReservation {
  readonly state: 'active' | 'released' | 'ordered';
  readonly isExpired: boolean;
  readonly orderId: string | null;
  readonly g2aOrderId: number | null;
}

/** Locks a reservation, so that exactly one of many identical calls turns it into an order. Null: there is none. */
export async function lockReservation(manager: EntityManager, id: string): Promise<LockedReservation | null> {
  await manager.query('SELECT 1 FROM reservations WHERE id = $1 FOR UPDATE', [id]);
  // A statement of its own: it must see what the one that held the lock before us has committed.
  const rows = await manager.query<LockedReservation[]>(
    `SELECT reservation.state, reservation.expires_at <= now() AS "isExpired",
       existing.id AS "orderId", existing.g2a_order_id AS "g2aOrderId"
     FROM reservations reservation
     LEFT JOIN orders existing ON existing.reservation_id = reservation.id
     WHERE reservation.id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/**
 * Turns a locked, active reservation into an order: its items become order items, under the same ids.
 * @param deadlineSeconds how long from now keys are looked for at full speed.
 * @returns the items, or null when the G2A order id belongs to another order (nothing is written then).
 */
export async function insertOrder(
  manager: EntityManager,
  order: { id: string; reservationId: string; g2aOrderId: number; deadlineSeconds: number },
): Promise<{ id: string; g2aProductId: number }[] | null> {
  const created = await manager.query<unknown[]>(
    `INSERT INTO orders (id, reservation_id, g2a_order_id, state, deadline_at)
     VALUES ($1, $2, $3, 'accepted', now() + make_interval(secs => $4))
     ON CONFLICT (g2a_order_id) DO NOTHING
     RETURNING id`,
    [order.id, order.reservationId, order.g2aOrderId, order.deadlineSeconds],
  );
  if (created.length === 0) return null;
  return manager.query<{ id: string; g2aProductId: number }[]>(
    `WITH ordered AS (
       UPDATE reservations SET state = 'ordered' WHERE id = $2 AND state = 'active'
     )
     INSERT INTO order_items (id, order_id, g2a_product_id, quantity, sale_price_cents)
     SELECT id, $1, g2a_product_id, quantity, sale_price_cents FROM reservation_items WHERE reservation_id = $2
     RETURNING id, g2a_product_id AS "g2aProductId"`,
    [order.id, order.reservationId],
  );
}
