import type { EntityManager } from 'typeorm';
import { isOneOf } from '../database/is-one-of.js';

/** Part of a query of `stock_holds hold` and its `supplier_products product`: the hold counts. As in the view `supplier_stock`. */
export const IS_SPOKEN_FOR = `CASE hold.state
  WHEN 'reserved' THEN hold.expires_at > now()
  WHEN 'owed' THEN true
  ELSE hold.bought_at >= product.requested_at
END`;

/** Pieces of one supplier product claimed for one reservation item. */
export interface HoldAllocation {
  readonly reservationItemId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
}

/**
 * Locks the snapshots behind these G2A products until the transaction ends. Whoever wants to claim stock takes this lock
 * first, so that two customers cannot both see the last piece. What depends on it must be read by a later statement: one sees
 * the database as of its own start, before it waited. All lock in the order of ids, or two would wait for each other.
 * @returns the CWS ids of what is locked.
 */
export async function lockStock(manager: EntityManager, g2aProductIds: readonly number[]): Promise<string[]> {
  const { condition, parameter } = isOneOf(g2aProductIds);
  const rows = await manager.query<{ id: string }[]>(
    `SELECT cws_product_id AS id FROM supplier_products
     WHERE cws_product_id IN (SELECT cws_product_id FROM product_mapping_suppliers WHERE g2a_product_id ${condition})
     ORDER BY cws_product_id FOR NO KEY UPDATE`,
    [parameter],
  );
  return rows.map((row) => row.id);
}

/** Parts of a WITH: takes $3 pieces off the owed holds of item $1, in this order (false before true). */
const takenOffOwed = (order: string): string => `
  owed AS (
    SELECT id, quantity, sum(quantity) OVER (ORDER BY ${order}, id) - quantity AS before
    FROM stock_holds WHERE reservation_item_id = $1 AND state = 'owed'
  ), reduced AS (
    UPDATE stock_holds hold SET quantity = hold.quantity - greatest($3 - owed.before, 0)
    FROM owed WHERE hold.id = owed.id AND owed.before < $3 AND owed.before + owed.quantity > $3
  ), removed AS (
    DELETE FROM stock_holds hold USING owed WHERE hold.id = owed.id AND owed.before + owed.quantity <= $3
  )`;

/**
 * Pieces were bought: takes them off the item's owed holds (this product's first, for another supplier may have served) and
 * keeps them held as `bought` at the product that served until a newer snapshot shows them gone.
 */
export async function markHoldBought(manager: EntityManager, bought: HoldAllocation): Promise<void> {
  await manager.query(
    `WITH ${takenOffOwed('cws_product_id <> $2')}
     INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, bought_at)
     VALUES ($1, $2, $3, 'bought', clock_timestamp())`,
    [bought.reservationItemId, bought.cwsProductId, bought.quantity],
  );
}

/**
 * CWS ids of the suppliers of these G2A products of which pieces were bought since they were asked for last, so that they count as spoken
 * for. CWS may have answered when it had sold them already: then they count twice, until it is asked again.
 */
export async function boughtSinceAsked(manager: EntityManager, g2aProductIds: readonly number[]): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT product.cws_product_id AS id
     FROM product_mapping_suppliers link
     JOIN supplier_products product ON product.cws_product_id = link.cws_product_id
     JOIN stock_holds hold ON hold.cws_product_id = link.cws_product_id
     WHERE link.g2a_product_id = ANY ($1) AND hold.state = 'bought' AND hold.bought_at >= product.requested_at`,
    [g2aProductIds],
  );
  return rows.map((row) => row.id);
}

/**
 * Pieces are about to be bought: claims them at the product that is to serve, in place of where they have been held. Locks that product
 * until the transaction ends, as whoever reserves does, so that nobody is promised what is on its way to somebody else.
 * @param busyProductIds where other pieces of the item are being bought: what is held there is taken last.
 * @returns false when so many are not free there any more; nothing changes then.
 */
export async function moveOwedHolds(
  manager: EntityManager,
  wanted: HoldAllocation,
  busyProductIds: readonly string[],
): Promise<boolean> {
  const { reservationItemId, cwsProductId, quantity } = wanted;
  await manager.query('SELECT FROM supplier_products WHERE cws_product_id = $1 FOR NO KEY UPDATE', [cwsProductId]);
  const [row] = await manager.query<[{ elsewhere: number; isFree: boolean }]>(
    `SELECT greatest($3 - own.quantity, 0)::integer AS elsewhere, stock.available >= $3 - own.quantity AS "isFree"
     FROM supplier_stock stock, (SELECT coalesce(sum(quantity), 0) AS quantity FROM stock_holds
       WHERE reservation_item_id = $1 AND cws_product_id = $2 AND state = 'owed') own
     WHERE stock.cws_product_id = $2`,
    [reservationItemId, cwsProductId, quantity],
  );
  if (row.elsewhere === 0) return true;
  if (!row.isFree) return false;
  await manager.query(
    `WITH ${takenOffOwed('cws_product_id = $2, cws_product_id = ANY ($4::uuid[])')}
     INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state) VALUES ($1, $2, $3, 'owed')`,
    [reservationItemId, cwsProductId, row.elsewhere, busyProductIds],
  );
  return true;
}

/** The supplier took a purchase back: the pieces are owed again, and wanted from the same product first. */
export async function holdOwedAgain(manager: EntityManager, owed: HoldAllocation): Promise<void> {
  await manager.query(
    `INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state) VALUES ($1, $2, $3, 'owed')`,
    [owed.reservationItemId, owed.cwsProductId, owed.quantity],
  );
}

/** Nothing is owed for these items any more. @returns how many pieces are free again. */
export async function releaseOwedHolds(manager: EntityManager, reservationItemIds: readonly string[]): Promise<number> {
  const [rows] = await manager.query<[{ quantity: number }[], number]>(
    `DELETE FROM stock_holds WHERE reservation_item_id = ANY ($1) AND state = 'owed' RETURNING quantity`,
    [reservationItemIds],
  );
  return rows.reduce((sum, { quantity }) => sum + quantity, 0);
}

const DELETE_BATCH = 500;

/**
 * Removes holds that no longer count: bought before the product's current snapshot, or expired (some minutes ago, so that no
 * transaction that still saw them live is at work on them). In batches, each by itself; what somebody is working on is left
 * for next time, so this waits for nobody and cannot deadlock.
 */
export async function deleteSpentHolds(manager: EntityManager): Promise<void> {
  let deleted: number;
  do {
    [, deleted] = await manager.query<[unknown[], number]>(
      `DELETE FROM stock_holds WHERE id IN (
         SELECT hold.id FROM stock_holds hold JOIN supplier_products product USING (cws_product_id)
         WHERE hold.state = 'bought' AND hold.bought_at < product.requested_at
           OR hold.state = 'reserved' AND hold.expires_at < now() - interval '5 minutes'
         LIMIT $1 FOR UPDATE OF hold SKIP LOCKED)`,
      [DELETE_BATCH],
    );
  } while (deleted === DELETE_BATCH);
}
