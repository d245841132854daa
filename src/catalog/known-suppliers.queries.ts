import type { EntityManager } from 'typeorm';
import type { MappingSupplier } from './mapping-stock.queries.js';

export interface KnownSupplier extends MappingSupplier {
  /** Pieces spoken for. */
  readonly held: number;
}

/**
 * What is known of these CWS products, mapped or not; those that were never seen are not among them. The feed vouches only for
 * products that a mapping made us follow.
 */
export async function knownSuppliers(
  manager: EntityManager,
  cwsProductIds: readonly string[],
): Promise<Map<string, KnownSupplier>> {
  const rows = await manager.query<KnownSupplier[]>(
    `SELECT stock.cws_product_id AS "cwsProductId", stock.price_bands AS bands,
       stock.unconfirmed_price_bands AS "unconfirmedBands", stock.available, stock.held,
       (extract(epoch FROM CASE
         WHEN feed.unreliable_since IS NULL AND EXISTS (SELECT 1 FROM product_mapping_suppliers link
           WHERE link.cws_product_id = stock.cws_product_id AND link.mapped_at <= stock.requested_at)
         THEN greatest(stock.requested_at, feed.pass_started_at) ELSE stock.requested_at END) * 1000)::float8 AS "freshAsOf",
       (extract(epoch FROM stock.requested_at) * 1000)::float8 AS "requestedAt"
     FROM supplier_stock stock
     LEFT JOIN sync_cursors feed ON feed.name = 'cws_products'
     WHERE stock.cws_product_id = ANY ($1::uuid[])`,
    [cwsProductIds],
  );
  return new Map(rows.map((row) => [row.cwsProductId, row]));
}

/** Those of these CWS products that some mapping uses, disabled mappings too: one enabled again must not wait for its data. */
export async function mappedAmong(manager: EntityManager, cwsProductIds: readonly string[]): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    'SELECT DISTINCT cws_product_id AS id FROM product_mapping_suppliers WHERE cws_product_id = ANY ($1::uuid[])',
    [cwsProductIds],
  );
  return rows.map(({ id }) => id);
}
