import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import {
  LIVE_PURCHASE_STATES,
  type OrderState,
  type PurchaseState,
  RESOLVED_ORDER_STATES,
} from './order-state.rules.js';

/** An order as the job handlers read it; times by the database's clock. */
export interface OrderProgress {
  readonly id: string;
  readonly state: OrderState;
  readonly isPastDeadline: boolean;
  /** Why a person was called; null: nobody was. */
  readonly attentionReason: string | null;
}

/** A purchase of an item that may still bring keys. */
export interface LivePurchase {
  readonly id: string;
  readonly state: PurchaseState;
  readonly cwsProductId: string;
  /** Those of its pieces whose key has not come; nobody else is to bring them. */
  readonly openPieces: number;
}

/** An item with what it still needs. */
export interface ItemProgress {
  readonly id: string;
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly salePriceCents: Cents;
  /** What the sale leaves after fees: what a key may cost. */
  readonly saleIncomeCents: Cents;
  /** Keys that came. Returned ones too: what was handed over stays fulfilled, nothing is bought in its place. */
  readonly keys: number;
  /** Those among them that came as a file which may not be handed over. */
  readonly undeliverableKeys: number;
  /** Purchases that came to nothing. */
  readonly deadPurchases: number;
  /** The oldest first; at most one at each supplier product. */
  readonly livePurchases: readonly LivePurchase[];
}

/** Part of a query of `orders`: a person has settled the order, and what was not handed over before is not handed over any more. */
export const IS_SETTLED_BY_HAND = `orders.state IN (${RESOLVED_ORDER_STATES.map((state) => `'${state}'`).join(', ')})`;

/**
 * Part of a query of `purchases` under this alias: pieces of a live one whose key has not come. One that CWS has made twice may bring
 * them twice.
 */
export function openPiecesOf(alias: string): string {
  return `greatest(${alias}.quantity * (1 + cardinality(${alias}.other_cws_order_ids))
    - (SELECT count(*) FROM keys WHERE purchase_id = ${alias}.id), 0)::integer`;
}

const ORDER_PROGRESS = `id, state, deadline_at <= now() AS "isPastDeadline", attention_reason AS "attentionReason"`;

export async function readOrder(manager: EntityManager, id: string): Promise<OrderProgress | null> {
  const rows = await manager.query<OrderProgress[]>(`SELECT ${ORDER_PROGRESS} FROM orders WHERE id = $1`, [id]);
  return rows[0] ?? null;
}

/** Locks the order until the transaction ends: whoever changes it or anything below it takes this lock first. */
export async function lockOrder(manager: EntityManager, id: string): Promise<OrderProgress | null> {
  const rows = await manager.query<OrderProgress[]>(`SELECT ${ORDER_PROGRESS} FROM orders WHERE id = $1 FOR UPDATE`, [
    id,
  ]);
  return rows[0] ?? null;
}

/** Items of an order, in a fixed order. */
export async function readItems(manager: EntityManager, orderId: string): Promise<ItemProgress[]> {
  return manager.query<ItemProgress[]>(
    `SELECT item.id, item.g2a_product_id AS "g2aProductId", item.quantity, item.sale_price_cents AS "salePriceCents",
       item.sale_income_cents AS "saleIncomeCents",
       stored.keys, stored.undeliverable AS "undeliverableKeys",
       (SELECT count(*) FROM purchases WHERE order_item_id = item.id AND state = 'dead')::integer AS "deadPurchases",
       live.purchases AS "livePurchases"
     FROM order_items item
     CROSS JOIN LATERAL (
       SELECT count(*)::integer AS keys, count(undeliverable_reason)::integer AS undeliverable
       FROM keys WHERE order_item_id = item.id
     ) stored
     CROSS JOIN LATERAL (
       SELECT coalesce(json_agg(json_build_object('id', id, 'state', state, 'cwsProductId', cws_product_id,
         'openPieces', ${openPiecesOf('purchase')}) ORDER BY created_at, id), '[]') AS purchases
       FROM purchases purchase
       WHERE order_item_id = item.id AND state IN ('intended', 'unknown', 'fulfilling')
     ) live
     WHERE item.order_id = $1
     ORDER BY item.g2a_product_id`,
    [orderId],
  );
}

/** Moves an order on, if it is still in the state that was read. @returns whether it moved. */
export async function moveOrder(
  manager: EntityManager,
  order: { id: string; from: OrderState; to: OrderState; attentionReason?: string },
): Promise<boolean> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE orders SET state = $3, attention_reason = left($4, 500), updated_at = now() WHERE id = $1 AND state = $2`,
    [order.id, order.from, order.to, order.attentionReason ?? null],
  );
  return affected > 0;
}

/** Says why an order waits for a person now. @returns whether that is another reason than before. */
export async function updateAttentionReason(manager: EntityManager, id: string, reason: string): Promise<boolean> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE orders SET attention_reason = left($2, 500), updated_at = now()
     WHERE id = $1 AND state = 'needs_attention' AND attention_reason IS DISTINCT FROM left($2, 500)`,
    [id, reason],
  );
  return affected > 0;
}

/** The order was looked at and waits on; the sweep leaves it alone for a while. */
export async function touchOrder(manager: EntityManager, id: string): Promise<void> {
  await manager.query('UPDATE orders SET updated_at = now() WHERE id = $1', [id]);
}

/** A purchase about to be made. */
export interface PurchaseIntent {
  readonly id: string;
  readonly orderItemId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
  /** The most that one piece may cost, in the CWS account's currency. */
  readonly priceCapCents: Cents;
}

/**
 * Writes the intent, under the order's lock: whoever holds it has seen that no more is bought than is owed. The partial unique index
 * refuses a second live purchase of the item at the same supplier product. The client order id is derived from this installation and the
 * purchase, so that it can be looked up at CWS after any accident.
 * @returns the client order id.
 */
export async function insertPurchase(manager: EntityManager, intent: PurchaseIntent): Promise<string> {
  const rows = await manager.query<{ client_order_id: string }[]>(
    `INSERT INTO purchases (id, order_item_id, cws_product_id, quantity, price_cap_cents, state, client_order_id)
     SELECT $1::uuid, $2, $3, $4, $5, 'intended', 'KF-' || left(installation_id::text, 8) || '-' || $1::text
     FROM control_state
     RETURNING client_order_id`,
    [intent.id, intent.orderItemId, intent.cwsProductId, intent.quantity, intent.priceCapCents],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('control_state has no row: this installation has no identity');
  return row.client_order_id;
}

/** A purchase with what its handlers need of its order. */
export interface PurchaseProgress {
  readonly id: string;
  readonly orderId: string;
  readonly orderItemId: string;
  readonly orderState: OrderState;
  readonly isPastDeadline: boolean;
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly priceCapCents: Cents;
  readonly clientOrderId: string;
  /** The orders that CWS is known to have made for it: one, unless it was made twice. */
  readonly cwsOrderIds: readonly string[];
  /** CWS is asked whether it has more under our id, also when the purchase is over. */
  readonly isWatched: boolean;
  readonly state: PurchaseState;
  readonly pollCount: number;
  readonly keys: number;
  readonly createdAt: Date;
  /** Seconds since the intent was committed. */
  readonly ageSeconds: number;
  /** How often it was sent, or may have been. */
  readonly sendCount: number;
  /** Seconds since the last sending was claimed. */
  readonly sendAgeSeconds: number;
  /** Seconds until CWS has room for the next sending, by its own word; 0: it may be sent. */
  readonly roomInSeconds: number;
  /** What went wrong with it last; null: nothing. */
  readonly lastError: string | null;
  /** Codes that CWS sold as pre-orders and has not delivered yet. */
  readonly awaitedPreorders: number;
  /** Seconds until nothing of the last sending can still arrive, 0 or less when that is so; null: its worker has not said. */
  readonly settlesInSeconds: number | null;
}

export async function readPurchase(manager: EntityManager, id: string): Promise<PurchaseProgress | null> {
  const rows = await manager.query<PurchaseProgress[]>(
    `SELECT purchase.id, orders.id AS "orderId", purchase.order_item_id AS "orderItemId", orders.state AS "orderState",
       orders.deadline_at <= now() AS "isPastDeadline", purchase.cws_product_id AS "cwsProductId", purchase.quantity,
       purchase.price_cap_cents AS "priceCapCents", purchase.client_order_id AS "clientOrderId",
       array_remove(purchase.cws_order_id::text || purchase.other_cws_order_ids, NULL) AS "cwsOrderIds",
       coalesce(purchase.watched_until > now(), false) AS "isWatched",
       purchase.state, purchase.poll_count AS "pollCount",
       (SELECT count(*) FROM keys WHERE purchase_id = purchase.id)::integer AS keys,
       purchase.created_at AS "createdAt",
       extract(epoch FROM clock_timestamp() - purchase.created_at)::float8 AS "ageSeconds",
       purchase.send_count AS "sendCount",
       extract(epoch FROM clock_timestamp() - purchase.send_claimed_at)::float8 AS "sendAgeSeconds",
       greatest(coalesce(extract(epoch FROM purchase.not_before - clock_timestamp()), 0), 0)::float8 AS "roomInSeconds",
       purchase.last_error AS "lastError",
       purchase.awaited_preorders AS "awaitedPreorders",
       extract(epoch FROM purchase.settles_at - clock_timestamp())::float8 AS "settlesInSeconds"
     FROM purchases purchase
     JOIN order_items item ON item.id = purchase.order_item_id
     JOIN orders ON orders.id = item.order_id
     WHERE purchase.id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** Moves a purchase on, if it is still in the state that was read. @returns whether it moved. */
export async function movePurchase(
  manager: EntityManager,
  purchase: {
    id: string;
    from: PurchaseState;
    to: PurchaseState;
    error?: string;
  },
): Promise<boolean> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE purchases SET state = $3::varchar, last_error = left($4, 500), updated_at = now(),
       poll_count = CASE WHEN state = $3::varchar THEN poll_count ELSE 0 END
     WHERE id = $1 AND state = $2`,
    [purchase.id, purchase.from, purchase.to, purchase.error ?? null],
  );
  return affected > 0;
}

/** Notes what one piece did cost, as CWS told it first; also of a purchase that is over. */
export async function noteUnitPrice(manager: EntityManager, id: string, unitPriceCents: Cents): Promise<void> {
  await manager.query('UPDATE purchases SET unit_price_cents = $2 WHERE id = $1 AND unit_price_cents IS NULL', [
    id,
    unitPriceCents,
  ]);
}

/** CWS took back what had been given up: the bookkeeping goes by the reason. */
export async function noteTakenBack(manager: EntityManager, id: string, reason: string): Promise<void> {
  await manager.query(
    `UPDATE purchases SET last_error = left($2, 500), updated_at = now() WHERE id = $1 AND state = 'dead'`,
    [id, reason],
  );
}

/** Notes how many codes of a purchase are pre-orders that have not come. @returns whose they are. */
export async function awaitPreorders(
  manager: EntityManager,
  id: string,
  awaited: number,
): Promise<{ g2aOrderId: number }> {
  const [[row]] = await manager.query<[[{ g2aOrderId: number }], number]>(
    `UPDATE purchases purchase SET awaited_preorders = $2 FROM order_items item, orders
     WHERE purchase.id = $1 AND item.id = purchase.order_item_id AND orders.id = item.order_id
     RETURNING orders.g2a_order_id AS "g2aOrderId"`,
    [id, awaited],
  );
  return row;
}

/**
 * How many purchases CWS is at work on, and since when on the oldest; pre-orders, which may wait for weeks, aside.
 * @param maxAgeSeconds older ones are not asked about any more.
 */
export async function pendingPurchases(
  manager: EntityManager,
  maxAgeSeconds: number,
): Promise<{ count: number; oldestAt: Date | null }> {
  const [row] = await manager.query<[{ count: number; oldestAt: Date | null }]>(
    `SELECT count(*)::integer AS count, min(created_at) AS "oldestAt" FROM purchases
     WHERE state = 'fulfilling' AND awaited_preorders = 0 AND created_at > now() - make_interval(secs => $1)`,
    [maxAgeSeconds],
  );
  return row;
}

/** CWS was asked and there is nothing new. Says nothing about a purchase that has ended meanwhile. */
export async function countPoll(manager: EntityManager, id: string, error: string | null): Promise<void> {
  await manager.query(
    `UPDATE purchases SET poll_count = poll_count + 1, last_error = left($2, 500), updated_at = now()
     WHERE id = $1 AND state = ANY ($3)`,
    [id, error, LIVE_PURCHASE_STATES],
  );
}
