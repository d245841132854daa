import type { EntityManager } from 'typeorm';
import type { Alert } from '../alerts/alert.entity.js';
import { openAlerts } from '../alerts/alerts.queries.js';
import { type AuditRow, auditRowsOfSale } from '../audit/audit.queries.js';
import { amount } from '../money/amount.js';
import { KEYS_WITH_SPARE } from './keys.queries.js';
import { type OrderState, type PurchaseState, UNFINISHED_ORDER_STATES } from './order-state.rules.js';

/** An order as listed. */
export interface OrderSummary {
  readonly id: string;
  readonly reservationId: string;
  readonly g2aOrderId: number;
  readonly state: OrderState;
  readonly attentionReason: string | null;
  readonly deadlineAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What was bought, or is meant to be, for an order item. */
export interface PurchaseView {
  readonly id: string;
  readonly orderItemId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
  /** Like `unitPrice` in the CWS account's currency, not in euros. */
  readonly priceCap: string | null;
  readonly unitPrice: string | null;
  readonly clientOrderId: string;
  readonly cwsOrderId: string | null;
  /** Further orders that CWS has made for this one purchase. */
  readonly otherCwsOrderIds: readonly string[];
  readonly state: PurchaseState;
  readonly pollCount: number;
  /** How often it was sent, or may have been. */
  readonly sendCount: number;
  /** Codes that CWS sold as pre-orders and has not delivered yet. */
  readonly awaitedPreorders: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One product of an order. Keys are counted, never shown. */
export interface OrderItemView {
  readonly id: string;
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly salePrice: string | null;
  readonly keyCount: number;
  readonly deliveredKeyCount: number;
  readonly returnedKeyCount: number;
  readonly purchases: readonly PurchaseView[];
}

interface OrderItemRow {
  id: string;
  g2aProductId: number;
  quantity: number;
  salePriceCents: number;
  keyCount: number;
  deliveredKeyCount: number;
  returnedKeyCount: number;
}

interface PurchaseRow extends Omit<PurchaseView, 'priceCap' | 'unitPrice'> {
  priceCapCents: number;
  unitPriceCents: number | null;
}

const ORDER_COLUMNS = `id, reservation_id AS "reservationId", g2a_order_id AS "g2aOrderId", state,
  attention_reason AS "attentionReason", deadline_at AS "deadlineAt", created_at AS "createdAt", updated_at AS "updatedAt"`;

/** An order in a list for people. */
export interface ListedOrder extends OrderSummary {
  readonly ageSeconds: number;
  readonly owedKeys: number;
  /** Of those owed, the ones that have not come. */
  readonly missingKeys: number;
  /** Keys that came and are owed to nobody. */
  readonly spareKeys: number;
}

/** Which orders to list; with several conditions those that meet all. */
export interface OrderCriteria {
  readonly state: OrderState | null;
  /** Only those that wait for a person, or are past their deadline and not finished. */
  readonly isStuck: boolean;
  /** Only those with spare keys. */
  readonly hasSpareKeys: boolean;
  readonly limit: number;
}

/** Orders with what they miss; stuck ones the oldest first, others the newest first. */
export async function listOrders(manager: EntityManager, criteria: OrderCriteria): Promise<ListedOrder[]> {
  return manager.query<ListedOrder[]>(
    `SELECT ${ORDER_COLUMNS}, extract(epoch FROM now() - created_at)::float8 AS "ageSeconds", owed.keys AS "owedKeys",
       owed.missing AS "missingKeys", spare.keys AS "spareKeys"
     FROM (
       SELECT * FROM orders
       WHERE ($1::text IS NULL OR state = $1)
         AND (NOT $2 OR state = 'needs_attention' OR state = ANY ($4) AND deadline_at <= now())
         AND (NOT $3 OR id IN (SELECT order_id FROM (${KEYS_WITH_SPARE}) key WHERE is_spare))
       ORDER BY CASE WHEN $2 THEN created_at END, created_at DESC, id
       LIMIT $5
     ) listed
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(quantity), 0)::integer AS keys,
         coalesce(sum(greatest(quantity - stored.keys, 0)), 0)::integer AS missing
       FROM order_items item CROSS JOIN LATERAL (
         SELECT count(*)::integer AS keys FROM keys WHERE order_item_id = item.id
       ) stored WHERE item.order_id = listed.id
     ) owed
     CROSS JOIN LATERAL (
       SELECT count(*)::integer AS keys FROM (${KEYS_WITH_SPARE} WHERE orders.id = listed.id) key WHERE is_spare
     ) spare
     ORDER BY CASE WHEN $2 THEN created_at END, created_at DESC, id`,
    [criteria.state, criteria.isStuck, criteria.hasSpareKeys, UNFINISHED_ORDER_STATES, criteria.limit],
  );
}

/** The newest orders, newest first; a null state matches every one. */
export async function latestOrders(
  manager: EntityManager,
  criteria: { state: OrderState | null; limit: number },
): Promise<OrderSummary[]> {
  return manager.query<OrderSummary[]>(
    `SELECT ${ORDER_COLUMNS} FROM orders WHERE $1::text IS NULL OR state = $1 ORDER BY created_at DESC, id LIMIT $2`,
    [criteria.state, criteria.limit],
  );
}

export async function findOrder(manager: EntityManager, id: string): Promise<OrderSummary | null> {
  const [order] = await manager.query<OrderSummary[]>(`SELECT ${ORDER_COLUMNS} FROM orders WHERE id = $1`, [id]);
  return order ?? null;
}

/** The items of an order with their purchases, oldest purchase first. */
export async function itemsOfOrder(manager: EntityManager, orderId: string): Promise<OrderItemView[]> {
  const items = await manager.query<OrderItemRow[]>(
    `SELECT item.id, item.g2a_product_id AS "g2aProductId", item.quantity, item.sale_price_cents AS "salePriceCents",
       count(key.id) AS "keyCount", count(key.first_delivered_at) AS "deliveredKeyCount",
       count(key.returned_at) AS "returnedKeyCount"
     FROM order_items item LEFT JOIN keys key ON key.order_item_id = item.id
     WHERE item.order_id = $1 GROUP BY item.id ORDER BY item.g2a_product_id`,
    [orderId],
  );
  const purchases = await manager.query<PurchaseRow[]>(
    `SELECT purchase.id, purchase.order_item_id AS "orderItemId", purchase.cws_product_id AS "cwsProductId",
       purchase.quantity, purchase.price_cap_cents AS "priceCapCents", purchase.unit_price_cents AS "unitPriceCents",
       purchase.client_order_id AS "clientOrderId", purchase.cws_order_id AS "cwsOrderId",
       purchase.other_cws_order_ids AS "otherCwsOrderIds", purchase.state,
       purchase.poll_count AS "pollCount", purchase.send_count AS "sendCount",
       purchase.awaited_preorders AS "awaitedPreorders", purchase.last_error AS "lastError", purchase.created_at AS "createdAt",
       purchase.updated_at AS "updatedAt"
     FROM purchases purchase JOIN order_items item ON item.id = purchase.order_item_id
     WHERE item.order_id = $1 ORDER BY purchase.created_at, purchase.id`,
    [orderId],
  );
  return items.map(({ salePriceCents, ...item }) => ({
    ...item,
    salePrice: amount(salePriceCents),
    purchases: purchases.filter((purchase) => purchase.orderItemId === item.id).map(purchaseView),
  }));
}

/** A key without anything of its value. */
export interface KeyView {
  readonly id: string;
  readonly purchaseId: string;
  readonly orderItemId: string;
  readonly kind: 'text' | 'file';
  readonly undeliverableReason: string | null;
  /** Paid for, and owed to nobody. */
  readonly isSpare: boolean;
  readonly createdAt: Date;
  readonly firstDeliveredAt: Date | null;
  readonly returnedAt: Date | null;
}

/** The reservation that an order came from. */
export interface ReservationView {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Everything that is known about an order. */
export interface OrderDossier {
  readonly order: OrderSummary;
  readonly reservation: ReservationView;
  readonly items: readonly OrderItemView[];
  readonly keys: readonly KeyView[];
  /** Open ones about the order and its purchases. */
  readonly alerts: readonly Alert[];
  /** Of the order, its reservation and its purchases, oldest first. */
  readonly history: readonly AuditRow[];
}

/** An order with its reservation, items, purchases, keys and history; null when there is none. */
export async function orderDossier(manager: EntityManager, id: string): Promise<OrderDossier | null> {
  const order = await findOrder(manager, id);
  if (order === null) return null;
  const [reservation] = await manager.query<[ReservationView]>(
    'SELECT id, created_at AS "createdAt", expires_at AS "expiresAt" FROM reservations WHERE id = $1',
    [order.reservationId],
  );
  const items = await itemsOfOrder(manager, id);
  const keys = await manager.query<KeyView[]>(
    `SELECT id, purchase_id AS "purchaseId", order_item_id AS "orderItemId", kind,
       undeliverable_reason AS "undeliverableReason", is_spare AS "isSpare", created_at AS "createdAt",
       first_delivered_at AS "firstDeliveredAt", returned_at AS "returnedAt"
     FROM (${KEYS_WITH_SPARE} WHERE orders.id = $1) key ORDER BY created_at, id`,
    [id],
  );
  const purchaseIds = items.flatMap((item) => item.purchases.map((purchase) => purchase.id));
  const alerts = (await openAlerts(manager)).filter(({ subject }) => [order.id, ...purchaseIds].includes(subject));
  const history = await auditRowsOfSale(manager, [order.id, order.reservationId, ...purchaseIds]);
  return { order, reservation, items, keys, alerts, history };
}

function purchaseView({ priceCapCents, unitPriceCents, ...purchase }: PurchaseRow): PurchaseView {
  return { ...purchase, priceCap: amount(priceCapCents), unitPrice: amount(unitPriceCents) };
}
