import type { EntityManager } from 'typeorm';
import { IS_BALANCE_RECENT } from '../catalog/account-balance.queries.js';
import type { Cents } from '../money/cents.js';
import { IS_SETTLED_BY_HAND } from './purchases.queries.js';

/** As unitPriceFor: the price of the band that contains the quantity, the dearer one where bands overlap. */
function unitPrice(bands: string, quantity: string): string {
  return `(SELECT max((band ->> 'unitPrice')::bigint) FROM jsonb_array_elements(${bands}) band
    WHERE (band ->> 'fromQuantity')::bigint <= ${quantity}
      AND (band ->> 'toQuantity' IS NULL OR (band ->> 'toQuantity')::bigint >= ${quantity}))`;
}

/** What the pieces of these holds cost where they are held, an unconfirmed price being the one that counts where it is dearer. */
function costOfHolds(condition: string): string {
  return `(
    SELECT coalesce(sum(held.pieces * greatest(
      ${unitPrice('product.price_bands', 'held.quantity')},
      ${unitPrice('product.unconfirmed_price_bands', 'held.quantity')}
    )), 0)
    FROM (
      SELECT cws_product_id, quantity, sum(quantity) AS pieces FROM stock_holds hold WHERE ${condition} GROUP BY 1, 2
    ) held JOIN supplier_products product USING (cws_product_id))`;
}

/**
 * Purchases that were sent and may have been made cost up to their cap. Their order items still have their holds at the same product,
 * so only what the caps are above the holds' cost is added. Of an order that a person has settled they count for a day: what became of
 * them, the person knows.
 */
const COST_ABOVE_HOLDS = `(
  SELECT coalesce(sum(greatest(0, purchase.quantity * purchase.price_cap_cents - ${costOfHolds(
    `hold.reservation_item_id = purchase.order_item_id AND hold.cws_product_id = purchase.cws_product_id AND hold.state = 'owed'`,
  )})), 0)
  FROM purchases purchase
  JOIN order_items item ON item.id = purchase.order_item_id
  JOIN orders ON orders.id = item.order_id
  WHERE purchase.state IN ('intended', 'unknown') AND purchase.send_count > 0
    AND (purchase.created_at > now() - interval '24 hours' OR NOT ${IS_SETTLED_BY_HAND}))`;

/**
 * What is spoken for of `account_balance balance`: live reservations, owed keys, purchases that may have been made, and what was
 * bought after CWS was asked, which its answer may not show.
 */
const COMMITTED_CENTS = `(${costOfHolds(`hold.state = 'owed'
    OR hold.state = 'reserved' AND hold.expires_at > clock_timestamp()
    OR hold.state = 'bought' AND hold.bought_at > balance.asked_at`)} + ${COST_ABOVE_HOLDS})::bigint`;

/** Columns of `account_balance balance`: what it can pay by the last count; null: not known. */
export const LAST_COUNT_COLUMNS = `
  CASE WHEN ${IS_BALANCE_RECENT} THEN balance.total_to_use_cents END AS "totalToUseCents",
  balance.total_to_use_cents - balance.committed_cents AS "payableCents",
  date_part('epoch', balance.counted_at) * 1000 AS "countedAt"`;

/** What the account can pay now, in its currency; null: not known. */
export async function payableNow(manager: EntityManager): Promise<Cents | null> {
  const [row] = await manager.query<{ payable: Cents }[]>(
    `SELECT balance.total_to_use_cents - ${COMMITTED_CENTS} AS payable FROM account_balance balance
     WHERE balance.id = $1 AND ${IS_BALANCE_RECENT}`,
    // Only a statement with a parameter is prepared, and this one takes longer to plan than to run.
    [1],
  );
  return row?.payable ?? null;
}

/** Counts what is spoken for, unless any process has within `gapSeconds`. */
export async function countCommitted(manager: EntityManager, gapSeconds: number): Promise<void> {
  await manager.query(
    `UPDATE account_balance balance SET committed_cents = ${COMMITTED_CENTS}, counted_at = clock_timestamp()
     WHERE counted_at IS NULL OR counted_at <= clock_timestamp() - make_interval(secs => $1)`,
    [gapSeconds],
  );
}

/** What the keys of paid orders still cost. */
export async function owedCost(manager: EntityManager): Promise<Cents> {
  const [row] = await manager.query<[{ cost: Cents }]>(
    `SELECT (${costOfHolds(`hold.state = 'owed'`)} + ${COST_ABOVE_HOLDS})::bigint AS cost`,
  );
  return row.cost;
}
