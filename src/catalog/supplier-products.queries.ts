import type { EntityManager } from 'typeorm';
import type { PriceBand } from '../money/price-band.js';
import type { MappingSupplier } from './mapping-stock.queries.js';

/** What the supplier said about one product. Structurally what `cws/` answers; its types stop there. */
export interface SupplierReport {
  readonly cwsProductId: string;
  readonly name: string;
  readonly quantity: number;
  readonly priceBands: readonly PriceBand[];
  readonly releaseDate: Date | null;
}

/** Time of the database's clock, the one that replicas share. */
export async function databaseNow(manager: EntityManager): Promise<Date> {
  const [row] = await manager.query<[{ now: Date }]>('SELECT clock_timestamp() AS now');
  return row.now;
}

/**
 * Stores what the supplier said, in one statement. A row whose content did not change only gets its new `requested_at`; an
 * answer older than what is stored is ignored (two requests may overtake each other).
 * @param requestedAt database time just before the request was sent.
 */
export async function storeSupplierReports(
  manager: EntityManager,
  reports: readonly SupplierReport[],
  requestedAt: Date,
): Promise<void> {
  if (reports.length === 0) return;
  // Each once (pages may shift while they are read), and sorted, so that two writers lock rows in the same order.
  const distinct = new Map(reports.map((report) => [report.cwsProductId, report]));
  const sorted = [...distinct.values()].sort((a, b) => (a.cwsProductId < b.cwsProductId ? -1 : 1));
  await manager.query(
    `INSERT INTO supplier_products AS stored
       (cws_product_id, name, quantity, price_bands, release_date, is_gone, requested_at, changed_at)
     SELECT id, left(name, 500), quantity, price_bands, release_date, false, $6, now()
     FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::jsonb[], $5::timestamptz[])
       AS report (id, name, quantity, price_bands, release_date)
     ON CONFLICT (cws_product_id) DO UPDATE SET
       name = excluded.name,
       quantity = excluded.quantity,
       price_bands = excluded.price_bands,
       release_date = excluded.release_date,
       is_gone = false,
       requested_at = excluded.requested_at,
       changed_at = CASE
         WHEN (stored.quantity, stored.price_bands, stored.release_date, stored.is_gone)
           IS DISTINCT FROM (excluded.quantity, excluded.price_bands, excluded.release_date, false) THEN now()
         ELSE stored.changed_at END
     WHERE stored.requested_at < excluded.requested_at`,
    [
      sorted.map((report) => report.cwsProductId),
      sorted.map((report) => report.name),
      sorted.map((report) => report.quantity),
      sorted.map((report) => JSON.stringify(report.priceBands)),
      sorted.map((report) => report.releaseDate),
      requestedAt,
    ],
  );
}

/**
 * Marks products that the supplier, asked for them by id, did not list, or listed in a form that was not understood: they
 * count as out of stock.
 */
export async function markSupplierProductsGone(
  manager: EntityManager,
  cwsProductIds: readonly string[],
  requestedAt: Date,
): Promise<void> {
  if (cwsProductIds.length === 0) return;
  await manager.query(
    `INSERT INTO supplier_products AS stored
       (cws_product_id, name, quantity, price_bands, is_gone, requested_at, changed_at)
     SELECT DISTINCT id, '', 0, '[]'::jsonb, true, $2::timestamptz, now() FROM unnest($1::uuid[]) AS missing (id) ORDER BY id
     ON CONFLICT (cws_product_id) DO UPDATE SET
       is_gone = true,
       requested_at = excluded.requested_at,
       changed_at = CASE WHEN stored.is_gone THEN stored.changed_at ELSE now() END
     WHERE stored.requested_at < excluded.requested_at`,
    [cwsProductIds, requestedAt],
  );
}

/** Every CWS product that some mapping uses, disabled mappings too: a mapping enabled again must not wait for its data. */
export async function mappedSupplierProductIds(manager: EntityManager): Promise<Set<string>> {
  const rows = await manager.query<{ cws_product_id: string }[]>(
    'SELECT DISTINCT cws_product_id FROM product_mapping_suppliers',
  );
  return new Set(rows.map((row) => row.cws_product_id));
}

/**
 * Mapped products to ask the supplier for by id: those never seen first, then those whose snapshot is the oldest and older
 * than `maxAgeSeconds`.
 */
export async function supplierProductsToCheck(
  manager: EntityManager,
  options: { maxAgeSeconds: number; limit: number },
): Promise<string[]> {
  const rows = await manager.query<{ cws_product_id: string }[]>(
    `SELECT mapped.cws_product_id
     FROM (
       SELECT cws_product_id, max(mapped_at) AS mapped_at FROM product_mapping_suppliers GROUP BY cws_product_id
     ) mapped
     LEFT JOIN supplier_products product USING (cws_product_id)
     WHERE product.requested_at IS NULL OR product.requested_at < mapped.mapped_at
       OR product.requested_at < now() - make_interval(secs => $1)
     ORDER BY product.requested_at NULLS FIRST, mapped.cws_product_id
     LIMIT $2`,
    [options.maxAgeSeconds, options.limit],
  );
  return rows.map((row) => row.cws_product_id);
}

/**
 * The possible suppliers of a paid order item: the mapping's, and those whose pieces were held for it (the mapping may have
 * been edited or deleted since). `available` includes the item's own holds.
 */
export async function suppliersOfItem(
  manager: EntityManager,
  item: { reservationItemId: string; g2aProductId: number },
): Promise<Omit<MappingSupplier, 'freshAsOf'>[]> {
  return manager.query<Omit<MappingSupplier, 'freshAsOf'>[]>(
    `SELECT stock.cws_product_id AS "cwsProductId", stock.price_bands AS bands,
       (CASE WHEN product.is_gone OR product.release_date > now() THEN 0
         ELSE greatest(product.quantity - stock.held + coalesce(own.quantity, 0), 0) END)::integer AS available
     FROM supplier_stock stock
     JOIN supplier_products product USING (cws_product_id)
     LEFT JOIN product_mapping_suppliers link
       ON link.cws_product_id = stock.cws_product_id AND link.g2a_product_id = $2
     LEFT JOIN (
       SELECT cws_product_id, sum(quantity) AS quantity FROM stock_holds
       WHERE reservation_item_id = $1 AND state = 'owed' GROUP BY 1
     ) own ON own.cws_product_id = stock.cws_product_id
     WHERE link.cws_product_id IS NOT NULL OR own.cws_product_id IS NOT NULL
     ORDER BY link.position NULLS LAST, stock.cws_product_id`,
    [item.reservationItemId, item.g2aProductId],
  );
}
