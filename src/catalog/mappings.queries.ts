import type { EntityManager } from 'typeorm';
import type { FileMapping } from './mapping-fields.js';

/** How long a person's open transaction on the mappings is waited for. */
const LOCK_TIMEOUT = '30s';

/**
 * Keeps every other writer of mappings out until the transaction ends, so that what is read stays true; readers go on.
 * @throws QueryFailedError 55P03 when another transaction does not let go within 30 seconds.
 */
export async function lockMappings(manager: EntityManager): Promise<void> {
  await manager.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
  await manager.query('LOCK TABLE product_mappings, product_mapping_suppliers IN SHARE ROW EXCLUSIVE MODE');
}

/** The stored mappings among these products, in the form in which a file states them. */
export async function storedMappings(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<Map<number, FileMapping>> {
  const rows = await manager.query<FileMapping[]>(
    `SELECT g2a_product_id AS "g2aProductId",
       ARRAY(SELECT cws_product_id::text FROM product_mapping_suppliers supplier
             WHERE supplier.g2a_product_id = mapping.g2a_product_id
             ORDER BY position, cws_product_id) AS "cwsProductIds",
       fixed_profit_cents AS "fixedProfit",
       trim_scale(profit_percent)::text AS "profitPercent",
       trim_scale(fee_percentage)::text AS "feePercentage",
       fee_fixed_cents AS "feeFixed",
       min_price_cents AS "minPrice",
       max_price_cents AS "maxPrice",
       charm_ending AS "charmEnding",
       is_enabled AS "isEnabled"
     FROM product_mappings mapping
     WHERE g2a_product_id = ANY ($1::bigint[])`,
    [g2aProductIds],
  );
  return new Map(rows.map((row) => [row.g2aProductId, row]));
}

/** Writes mappings without their suppliers: new ones, and new terms of those that exist. Triggers write the audit rows. */
export async function upsertMappings(manager: EntityManager, mappings: readonly FileMapping[]): Promise<void> {
  if (mappings.length === 0) return;
  await manager.query(
    `INSERT INTO product_mappings AS mapping
       (g2a_product_id, is_enabled, fixed_profit_cents, profit_percent, fee_percentage, fee_fixed_cents,
        min_price_cents, max_price_cents, charm_ending)
     SELECT * FROM unnest($1::bigint[], $2::boolean[], $3::integer[], $4::numeric[], $5::numeric[], $6::integer[],
       $7::integer[], $8::integer[], $9::text[])
     ON CONFLICT (g2a_product_id) DO UPDATE SET
       is_enabled = excluded.is_enabled,
       fixed_profit_cents = excluded.fixed_profit_cents,
       profit_percent = excluded.profit_percent,
       fee_percentage = excluded.fee_percentage,
       fee_fixed_cents = excluded.fee_fixed_cents,
       min_price_cents = excluded.min_price_cents,
       max_price_cents = excluded.max_price_cents,
       charm_ending = excluded.charm_ending`,
    [
      mappings.map((mapping) => mapping.g2aProductId),
      mappings.map((mapping) => mapping.isEnabled),
      mappings.map((mapping) => mapping.fixedProfit),
      mappings.map((mapping) => mapping.profitPercent),
      mappings.map((mapping) => mapping.feePercentage),
      mappings.map((mapping) => mapping.feeFixed),
      mappings.map((mapping) => mapping.minPrice),
      mappings.map((mapping) => mapping.maxPrice),
      mappings.map((mapping) => mapping.charmEnding),
    ],
  );
}

/** Gives mappings exactly these suppliers in this order. A supplier that stays in its place is not written. */
export async function replaceSuppliers(manager: EntityManager, mappings: readonly FileMapping[]): Promise<void> {
  if (mappings.length === 0) return;
  const suppliers = mappings.flatMap(({ g2aProductId, cwsProductIds }) =>
    cwsProductIds.map((cwsProductId, position) => ({ g2aProductId, cwsProductId, position })),
  );
  const g2aProductIds = suppliers.map((supplier) => supplier.g2aProductId);
  const cwsProductIds = suppliers.map((supplier) => supplier.cwsProductId);
  await manager.query(
    `DELETE FROM product_mapping_suppliers
     WHERE g2a_product_id = ANY ($1::bigint[])
       AND (g2a_product_id, cws_product_id) NOT IN (SELECT * FROM unnest($1::bigint[], $2::uuid[]))`,
    [g2aProductIds, cwsProductIds],
  );
  await manager.query(
    `INSERT INTO product_mapping_suppliers AS supplier (g2a_product_id, cws_product_id, position)
     SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::smallint[])
     ON CONFLICT (g2a_product_id, cws_product_id) DO UPDATE SET position = excluded.position
       WHERE supplier.position <> excluded.position`,
    [g2aProductIds, cwsProductIds, suppliers.map((supplier) => supplier.position)],
  );
}
