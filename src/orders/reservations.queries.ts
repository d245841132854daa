import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { auditInsert, auditParameter } from '../audit/audit-log.js';
import { rowSource } from '../database/row-source.js';
import type { PlannedItem, RequestedItem } from './reservation-plan.rules.js';

export type ReservationState = 'active' | 'released' | 'ordered';

/** @param isOne whether it is for one product, from one supplier. */
function insertStatement(isOne: boolean): string {
  const items = rowSource(['uuid', 'bigint', 'integer', 'integer', 'integer', 'text', 'text'], 4, isOne);
  const holds = rowSource(['uuid', 'uuid', 'integer'], 11, isOne);
  return `WITH reservation AS (
      INSERT INTO reservations (id, state, expires_at) VALUES ($1, 'active', clock_timestamp() + make_interval(secs => $2))
      RETURNING id, expires_at
    ), items AS (
      INSERT INTO reservation_items
        (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents, quoted_unit_price,
         quoted_base_price)
      SELECT item.id, $1, product, quantity, price, income, unit_price, base_price
      FROM ${items} AS item (id, product, quantity, price, income, unit_price, base_price)
    ), holds AS (
      INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, expires_at)
      SELECT item, product, quantity, 'reserved', expires_at FROM reservation, ${holds} AS hold (item, product, quantity)
    )
    ${auditInsert('g2a', '$3')}`;
}

const INSERT_ONE = insertStatement(true);
const INSERT_MANY = insertStatement(false);

/** Writes an active reservation with its items, its holds and its audit row, valid for `ttlSeconds` from now, in one statement. */
export async function insertReservation(
  manager: EntityManager,
  id: string,
  planned: readonly PlannedItem[],
  ttlSeconds: number,
): Promise<void> {
  const items = planned.map((item) => ({ id: randomUUID(), ...item }));
  const columns = [
    items.map((item) => item.id),
    items.map((item) => item.g2aProductId),
    items.map((item) => item.quantity),
    items.map((item) => item.salePriceCents),
    items.map((item) => item.saleIncomeCents),
    items.map((item) => item.quotedUnitPrice),
    items.map((item) => item.quotedBasePrice),
    ...holdsOf(items),
  ];
  const isOne = columns.every((values) => values.length === 1);
  const entry = {
    action: 'reservation.created' as const,
    subjectId: id,
    details: {
      items: items.map(({ g2aProductId, quantity, salePriceCents }) => ({ g2aProductId, quantity, salePriceCents })),
    },
  };
  const rows = isOne ? columns.map(([value]) => value) : columns;
  await manager.query(isOne ? INSERT_ONE : INSERT_MANY, [id, ttlSeconds, auditParameter([entry]), ...rows]);
}

/**
 * Locks a reservation until the transaction ends: exactly one of many calls about it goes on. Whether it has expired is for
 * the statement to decide that changes it, after its stock was locked.
 * @returns its state as the one that held the lock before has left it; null: there is none.
 */
export async function lockReservation(manager: EntityManager, id: string): Promise<ReservationState | null> {
  const rows = await manager.query<{ state: ReservationState }[]>(
    'SELECT state FROM reservations WHERE id = $1 FOR UPDATE',
    [id],
  );
  return rows[0]?.state ?? null;
}

/**
 * Like lockStock, for what a locked reservation holds and whatever could serve it now: in one statement, so that all who lock
 * stock do it in the same order.
 * @returns the CWS ids of what is locked.
 */
export async function lockStockOfReservation(manager: EntityManager, id: string): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT cws_product_id AS id FROM supplier_products
     WHERE cws_product_id IN (
       SELECT hold.cws_product_id FROM reservation_items item
       JOIN stock_holds hold ON hold.reservation_item_id = item.id
       WHERE item.reservation_id = $1
       UNION
       SELECT link.cws_product_id FROM reservation_items item
       JOIN product_mapping_suppliers link USING (g2a_product_id)
       WHERE item.reservation_id = $1
     )
     ORDER BY cws_product_id FOR NO KEY UPDATE`,
    [id],
  );
  return rows.map((row) => row.id);
}

/** What a reservation is for, each item with its id. */
export async function reservationItems(
  manager: EntityManager,
  reservationId: string,
): Promise<(RequestedItem & { readonly id: string })[]> {
  return manager.query<(RequestedItem & { readonly id: string })[]>(
    `SELECT id, g2a_product_id AS "g2aProductId", quantity,
       quoted_unit_price AS "quotedUnitPrice", quoted_base_price AS "quotedBasePrice"
     FROM reservation_items WHERE reservation_id = $1 ORDER BY g2a_product_id`,
    [reservationId],
  );
}

/**
 * Moves the expiry of a locked reservation and its holds to `ttlSeconds` from now, if it has not expired yet. Call it with its
 * stock locked.
 * @returns whether it was still live.
 */
export async function extendReservation(manager: EntityManager, id: string, ttlSeconds: number): Promise<boolean> {
  const [row] = await manager.query<[{ isExtended: boolean }]>(
    `WITH extended AS (
       UPDATE reservations SET expires_at = clock_timestamp() + make_interval(secs => $2)
       WHERE id = $1 AND expires_at > clock_timestamp()
       RETURNING id, expires_at
     ), held AS (
       UPDATE stock_holds hold SET expires_at = extended.expires_at
       FROM extended JOIN reservation_items item ON item.reservation_id = extended.id
       WHERE hold.reservation_item_id = item.id AND hold.state = 'reserved'
     )
     SELECT EXISTS (SELECT FROM extended) AS "isExtended"`,
    [id, ttlSeconds],
  );
  return row.isExtended;
}

/** Gives up what a locked reservation holds. */
export async function deleteReservedHolds(manager: EntityManager, reservationId: string): Promise<void> {
  await manager.query(
    `DELETE FROM stock_holds hold USING reservation_items item
     WHERE item.reservation_id = $1 AND hold.reservation_item_id = item.id AND hold.state = 'reserved'`,
    [reservationId],
  );
}

/** Writes the new plan of a locked reservation that has expired and holds nothing any more. */
export async function claimAgain(
  manager: EntityManager,
  id: string,
  items: readonly (PlannedItem & { readonly id: string })[],
  ttlSeconds: number,
): Promise<void> {
  await manager.query(
    `WITH renewed AS (
       UPDATE reservations SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1 RETURNING expires_at
     ), priced AS (
       UPDATE reservation_items item SET sale_price_cents = planned.price, sale_income_cents = planned.income
       FROM unnest($3::uuid[], $4::integer[], $8::integer[]) AS planned (id, price, income)
       WHERE item.id = planned.id
     )
     INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, expires_at)
     SELECT item, product, quantity, 'reserved', expires_at
     FROM renewed, unnest($5::uuid[], $6::uuid[], $7::integer[]) AS hold (item, product, quantity)`,
    [
      id,
      ttlSeconds,
      items.map((item) => item.id),
      items.map((item) => item.salePriceCents),
      ...holdsOf(items),
      items.map((item) => item.saleIncomeCents),
    ],
  );
}

export async function markReleased(manager: EntityManager, id: string): Promise<void> {
  await manager.query(`UPDATE reservations SET state = 'released' WHERE id = $1`, [id]);
}

/** The order that a reservation has become. */
export async function orderOfReservation(
  manager: EntityManager,
  reservationId: string,
): Promise<{ readonly id: string; readonly g2aOrderId: number } | undefined> {
  const rows = await manager.query<{ id: string; g2aOrderId: number }[]>(
    'SELECT id, g2a_order_id AS "g2aOrderId" FROM orders WHERE reservation_id = $1',
    [reservationId],
  );
  return rows[0];
}

/**
 * Turns a locked, active reservation into an order, with its audit rows: its items become order items under the same ids, its
 * holds no longer expire. Call it with its stock locked. Unless the outcome is `created`, the transaction must be given up.
 * @param order.deadlineSeconds how long from now keys are looked for at full speed.
 */
export async function insertOrder(
  manager: EntityManager,
  order: { id: string; reservationId: string; g2aOrderId: number; deadlineSeconds: number },
): Promise<{ outcome: 'created' | 'reservation_expired' | 'g2a_order_id_taken'; g2aProductIds: number[] }> {
  const { id, reservationId, g2aOrderId } = order;
  const [row] = await manager.query<[{ isLive: boolean; g2aProductIds: number[] }]>(
    `WITH ordered AS (
       UPDATE reservations SET state = 'ordered' WHERE id = $2 AND expires_at > clock_timestamp() RETURNING id
     ), created AS (
       INSERT INTO orders (id, reservation_id, g2a_order_id, state, deadline_at)
       SELECT $1, id, $3, 'accepted', now() + make_interval(secs => $4) FROM ordered
       ON CONFLICT (g2a_order_id) DO NOTHING
       RETURNING id
     ), items AS (
       INSERT INTO order_items (id, order_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents)
       SELECT item.id, created.id, g2a_product_id, quantity, sale_price_cents, sale_income_cents
       FROM created JOIN reservation_items item ON item.reservation_id = $2
       RETURNING id, g2a_product_id
     ), owed AS (
       UPDATE stock_holds hold SET state = 'owed', expires_at = NULL
       FROM items WHERE hold.reservation_item_id = items.id AND hold.state = 'reserved'
     ), audited AS (
       ${auditInsert('g2a', '$5')}
     )
     SELECT EXISTS (SELECT FROM ordered) AS "isLive",
       (SELECT coalesce(jsonb_agg(g2a_product_id ORDER BY g2a_product_id), '[]') FROM items) AS "g2aProductIds"`,
    [
      id,
      reservationId,
      g2aOrderId,
      order.deadlineSeconds,
      auditParameter([
        { action: 'reservation.ordered', subjectId: reservationId, details: { orderId: id } },
        { action: 'order.accepted', subjectId: id, details: { reservationId, g2aOrderId } },
      ]),
    ],
  );
  const { isLive, g2aProductIds } = row;
  if (!isLive) return { outcome: 'reservation_expired', g2aProductIds };
  return { outcome: g2aProductIds.length > 0 ? 'created' : 'g2a_order_id_taken', g2aProductIds };
}

/** Days after its expiry for which a reservation that never became an order can still be renewed. */
const KEPT_DAYS = 7;

/**
 * Deletes up to `limit` reservations that expired long ago without becoming an order. Skips what others are working on, so it
 * never stands in anybody's way.
 * @returns how many.
 */
export async function deleteOldReservations(manager: EntityManager, limit: number): Promise<number> {
  const [row] = await manager.query<[{ deleted: number }]>(
    `WITH old AS (
       SELECT id FROM reservations
       WHERE state <> 'ordered' AND expires_at < now() - make_interval(days => $1)
       LIMIT $2 FOR UPDATE SKIP LOCKED
     ), deleted AS (
       DELETE FROM reservations USING old WHERE reservations.id = old.id RETURNING reservations.id
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id)
       SELECT 'orders', 'reservation.forgotten', 'reservation', id FROM deleted
     )
     SELECT count(*)::integer AS deleted FROM deleted`,
    [KEPT_DAYS, limit],
  );
  return row.deleted;
}

/** Reservation item, CWS product and quantity of each hold, as parameters of unnest. */
function holdsOf(items: readonly (PlannedItem & { readonly id: string })[]): [string[], string[], number[]] {
  const holds = items.flatMap((item) => item.allocations.map((allocation) => ({ item: item.id, ...allocation })));
  return [holds.map((hold) => hold.item), holds.map((hold) => hold.cwsProductId), holds.map((hold) => hold.quantity)];
}
