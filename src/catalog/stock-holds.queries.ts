import type { EntityManager } from 'typeorm';

/** Pieces of one supplier product claimed for one reservation item. */
export interface HoldAllocation {
  readonly reservationItemId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
}

/**
 * Locks the snapshots behind these G2A products until the transaction ends. Whoever wants to claim stock takes this lock
 * first, so that two customers cannot both see the last piece.
 */
export async function lockStock(manager: EntityManager, g2aProductIds: readonly number[]): Promise<void> {
  await manager.query(
    `SELECT 1 FROM supplier_products
     WHERE cws_product_id IN (SELECT cws_product_id FROM product_mapping_suppliers WHERE g2a_product_id = ANY ($1))
     ORDER BY cws_product_id FOR UPDATE`,
    [g2aProductIds],
  );
}

/** Claims pieces until `ttlSeconds` from now. Call under `lockStock`, after checking that they are available. */
export async function holdStock(
  manager: EntityManager,
  allocations: readonly HoldAllocation[],
  ttlSeconds: number,
): Promise<void> {
  await manager.query(
    `INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, expires_at)
     SELECT item, product, quantity, 'reserved', now() + make_interval(secs => $4)
     FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS allocation (item, product, quantity)`,
    [
      allocations.map((allocation) => allocation.reservationItemId),
      allocations.map((allocation) => allocation.cwsProductId),
      allocations.map((allocation) => allocation.quantity),
      ttlSeconds,
    ],
  );
}

/** The customer has paid: the pieces are owed and no longer expire. */
export async function markHoldsOwed(manager: EntityManager, reservationItemIds: readonly string[]): Promise<void> {
  await manager.query(
    `UPDATE stock_holds SET state = 'owed', expires_at = NULL
     WHERE reservation_item_id = ANY ($1) AND state = 'reserved'`,
    [reservationItemIds],
  );
}

/**
 * Pieces were bought: takes them off the item's owed holds (this product's first, for another supplier may have served) and
 * keeps them held as `bought` at the product that served until a newer snapshot shows them gone.
 */
export async function markHoldBought(manager: EntityManager, bought: HoldAllocation): Promise<void> {
  await manager.query(
    `WITH owed AS (
       SELECT id, quantity,
         sum(quantity) OVER (ORDER BY cws_product_id <> $2, id) - quantity AS before
       FROM stock_holds WHERE reservation_item_id = $1 AND state = 'owed'
     ), reduced AS (
       UPDATE stock_holds hold SET quantity = hold.quantity - greatest($3 - owed.before, 0)
       FROM owed WHERE hold.id = owed.id AND owed.before < $3 AND owed.before + owed.quantity > $3
     ), removed AS (
       DELETE FROM stock_holds hold USING owed WHERE hold.id = owed.id AND owed.before + owed.quantity <= $3
     )
     INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, bought_at)
     VALUES ($1, $2, $3, 'bought', clock_timestamp())`,
    [bought.reservationItemId, bought.cwsProductId, bought.quantity],
  );
}

/** The supplier took a purchase back: the pieces are owed again, and wanted from the same product first. */
export async function holdOwedAgain(manager: EntityManager, owed: HoldAllocation): Promise<void> {
  await manager.query(
    `INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state) VALUES ($1, $2, $3, 'owed')`,
    [owed.reservationItemId, owed.cwsProductId, owed.quantity],
  );
}

/** Removes holds that no longer count: expired an hour ago, or bought before the product's current snapshot. */
export async function deleteSpentHolds(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM stock_holds hold USING supplier_products product
     WHERE product.cws_product_id = hold.cws_product_id
       AND (hold.state = 'bought' AND hold.bought_at < product.requested_at
         OR hold.state = 'reserved' AND hold.expires_at < now() - interval '1 hour')`,
  );
}
