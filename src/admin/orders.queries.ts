import type { EntityManager } from 'typeorm';
import type { OrderState, PurchaseState } from '../orders/order-state.rules.js';
import { amount } from './amount.js';

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
  readonly state: PurchaseState;
  readonly pollCount: number;
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
       purchase.client_order_id AS "clientOrderId", purchase.cws_order_id AS "cwsOrderId", purchase.state,
       purchase.poll_count AS "pollCount", purchase.last_error AS "lastError", purchase.created_at AS "createdAt",
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

function purchaseView({ priceCapCents, unitPriceCents, ...purchase }: PurchaseRow): PurchaseView {
  return { ...purchase, priceCap: amount(priceCapCents), unitPrice: amount(unitPriceCents) };
}
