import type { EntityManager } from 'typeorm';
import { type AuditEntry, auditParameter } from '../audit/audit-log.js';
import type { PriceBand } from '../money/price-band.js';
import type { GuardedPrice, SuspicionReason, UnconfirmedPrice } from '../pricing/price-guard.rules.js';
import type { SupplierStock } from './mapping-stock.queries.js';

/** What the supplier said about one product. Structurally what `cws/` answers; its types stop there. */
export interface SupplierReport {
  readonly cwsProductId: string;
  readonly name: string;
  readonly quantity: number;
  readonly priceBands: readonly PriceBand[];
  readonly releaseDate: Date | null;
}

/** Those of these products that CWS was not asked for since `time` (epoch milliseconds), neither by id nor in its feed. */
export async function notRequestedSince(
  manager: EntityManager,
  cwsProductIds: readonly string[],
  time: number,
): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT wanted.id FROM unnest($1::uuid[]) AS wanted (id) LEFT JOIN supplier_products ON cws_product_id = wanted.id
     WHERE requested_at IS NULL OR requested_at < to_timestamp($2::float8 / 1000)`,
    [cwsProductIds, time],
  );
  return rows.map(({ id }) => id);
}

/** Time of the database's clock, the one that replicas share. */
export async function databaseNow(manager: EntityManager): Promise<Date> {
  const [row] = await manager.query<[{ now: Date }]>('SELECT clock_timestamp() AS now');
  return row.now;
}

/** What is known of a product, by which a report on it is judged. */
export interface StoredProduct {
  readonly cwsProductId: string;
  readonly accepted: readonly PriceBand[];
  readonly unconfirmed: UnconfirmedPrice | null;
  readonly revision: number;
  readonly name: string;
  readonly quantity: number;
  readonly releaseDate: Date | null;
  readonly isGone: boolean;
  /** Something that was asked later is stored already. */
  readonly isOvertaken: boolean;
}

/** Those of these products that were ever seen. */
export async function storedProducts(
  manager: EntityManager,
  cwsProductIds: readonly string[],
  requestedAt: Date,
): Promise<Map<string, StoredProduct>> {
  type Row = Omit<StoredProduct, 'unconfirmed'> & {
    bands: readonly PriceBand[] | null;
    since: Date | null;
    reason: SuspicionReason | null;
  };
  const rows = await manager.query<Row[]>(
    `SELECT cws_product_id AS "cwsProductId", price_bands AS accepted, price_revision AS revision,
       name, quantity, release_date AS "releaseDate", is_gone AS "isGone", unconfirmed_price_bands AS bands, unconfirmed_since AS since, unconfirmed_reason AS reason,
       requested_at >= $2 AS "isOvertaken"
     FROM supplier_products WHERE cws_product_id = ANY ($1)`,
    [cwsProductIds, requestedAt],
  );
  return new Map(
    rows.map(({ bands, since, reason, ...stored }) => {
      const unconfirmed = bands === null || since === null || reason === null ? null : { bands, since, reason };
      return [stored.cwsProductId, { ...stored, unconfirmed }];
    }),
  );
}

/** A report with what was made of its price. */
export interface JudgedReport {
  readonly report: SupplierReport;
  readonly price: GuardedPrice;
  /** Of the price by which it was judged; 0 when none was known. */
  readonly revision: number;
  readonly audit: AuditEntry | null;
  /** A change that we found by asking for the product, while the feed had not announced it. */
  readonly isUnannounced: boolean;
}

/**
 * Writes reports, their audit rows and what the feed is to be judged by, in one statement. A row whose content did not change
 * only gets its new `requested_at`; an answer older than what is stored is ignored (two requests may overtake each other).
 * @param reports sorted by id, each once, so that two writers lock rows in the same order.
 * @returns the ids that were written: not those overtaken, nor those whose price is not the one any more by which it was judged.
 */
export async function writeSupplierReports(
  manager: EntityManager,
  reports: readonly JudgedReport[],
  requestedAt: Date,
): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `WITH written AS (
       INSERT INTO supplier_products AS stored
         (cws_product_id, name, quantity, price_bands, unconfirmed_price_bands, unconfirmed_since, unconfirmed_reason,
          price_revision, release_date, is_gone, requested_at, changed_at)
       SELECT id, left(name, 500), quantity, accepted, unconfirmed, since, reason, revision + 1, release_date, false, $10, now()
       FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::jsonb[], $5::jsonb[], $6::timestamptz[], $7::text[],
           $8::integer[], $9::timestamptz[])
         AS report (id, name, quantity, accepted, unconfirmed, since, reason, revision, release_date)
       ON CONFLICT (cws_product_id) DO UPDATE SET
         name = excluded.name,
         quantity = excluded.quantity,
         price_bands = excluded.price_bands,
         unconfirmed_price_bands = excluded.unconfirmed_price_bands,
         unconfirmed_since = excluded.unconfirmed_since,
         unconfirmed_reason = excluded.unconfirmed_reason,
         -- A judgment that changes nothing leaves others right who have judged by the same.
         price_revision = CASE
           WHEN (stored.price_bands, stored.unconfirmed_price_bands, stored.unconfirmed_since, stored.unconfirmed_reason)
             IS DISTINCT FROM (excluded.price_bands, excluded.unconfirmed_price_bands, excluded.unconfirmed_since,
               excluded.unconfirmed_reason) THEN excluded.price_revision
           ELSE stored.price_revision END,
         release_date = excluded.release_date,
         is_gone = false,
         requested_at = excluded.requested_at,
         changed_at = CASE
           WHEN (stored.quantity, stored.price_bands, stored.unconfirmed_price_bands, stored.release_date, stored.is_gone)
             IS DISTINCT FROM (excluded.quantity, excluded.price_bands, excluded.unconfirmed_price_bands,
               excluded.release_date, false) THEN now()
           ELSE stored.changed_at END
       WHERE stored.requested_at < excluded.requested_at AND stored.price_revision = excluded.price_revision - 1
       RETURNING cws_product_id
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', action, split_part(action, '.', 1), "subjectId", details
       FROM jsonb_to_recordset($11::jsonb) AS entry (action text, "subjectId" text, details jsonb)
       JOIN written ON written.cws_product_id = entry."subjectId"::uuid
     ), unannounced AS (
       -- The feed follows a product since it is mapped: what was stored before this statement must be from after that.
       INSERT INTO unannounced_changes (cws_product_id)
       SELECT DISTINCT cws_product_id
       FROM unnest($12::uuid[]) AS found (cws_product_id)
       JOIN written USING (cws_product_id)
       JOIN supplier_products before USING (cws_product_id)
       JOIN product_mapping_suppliers link USING (cws_product_id)
       WHERE link.mapped_at <= before.requested_at
       ON CONFLICT (cws_product_id) WHERE verdict IS NULL DO NOTHING
     )
     SELECT cws_product_id AS id FROM written`,
    [
      reports.map(({ report }) => report.cwsProductId),
      reports.map(({ report }) => report.name),
      reports.map(({ report }) => report.quantity),
      reports.map(({ price }) => JSON.stringify(price.accepted)),
      reports.map(({ price }) => (price.unconfirmed === null ? null : JSON.stringify(price.unconfirmed.bands))),
      reports.map(({ price }) => price.unconfirmed?.since ?? null),
      reports.map(({ price }) => price.unconfirmed?.reason ?? null),
      reports.map(({ revision }) => revision),
      reports.map(({ report }) => report.releaseDate),
      requestedAt,
      auditParameter(reports.flatMap(({ audit }) => audit ?? [])),
      reports.flatMap(({ report, isUnannounced }) => (isUnannounced ? [report.cwsProductId] : [])),
    ],
  );
  return rows.map((row) => row.id);
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

/**
 * Forgets what CWS asked for its products, and that it was asked: each is without a price, and older than anything that must be
 * fresh, until CWS is asked for it anew. What it asks then is not measured by what it asked before. @returns how many.
 */
export async function forgetSupplierPrices(manager: EntityManager): Promise<number> {
  // All rows at once would deadlock with whoever locks some of them in another order.
  await manager.query('LOCK TABLE supplier_products IN EXCLUSIVE MODE');
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE supplier_products SET price_bands = '[]', unconfirmed_price_bands = NULL, unconfirmed_since = NULL,
       unconfirmed_reason = NULL, price_revision = price_revision + 1, requested_at = 'epoch', changed_at = now()`,
  );
  return affected;
}

/** How many CWS products mappings use. */
export async function mappedSupplierCount(manager: EntityManager): Promise<number> {
  const [row] = await manager.query<[{ count: number }]>(
    'SELECT count(DISTINCT cws_product_id) FROM product_mapping_suppliers',
  );
  return row.count;
}

/**
 * The possible suppliers of a paid order item: the mapping's, and those whose pieces were held for it (the mapping may have
 * been edited or deleted since). `available` includes the item's own holds.
 */
export async function suppliersOfItem(
  manager: EntityManager,
  item: { reservationItemId: string; g2aProductId: number },
): Promise<SupplierStock[]> {
  return manager.query<SupplierStock[]>(
    `WITH candidate AS (
       SELECT cws_product_id, min(position) AS position, sum(quantity) AS own FROM (
         SELECT cws_product_id, position, 0 AS quantity FROM product_mapping_suppliers WHERE g2a_product_id = $2
         UNION ALL
         SELECT cws_product_id, NULL, quantity FROM stock_holds WHERE reservation_item_id = $1 AND state = 'owed'
       ) AS possible GROUP BY 1
     )
     SELECT stock.cws_product_id AS "cwsProductId", stock.price_bands AS bands,
       stock.unconfirmed_price_bands AS "unconfirmedBands",
       (CASE WHEN product.is_gone OR product.release_date > now() THEN 0
         ELSE greatest(product.quantity - stock.held + candidate.own, 0) END)::integer AS available
     FROM candidate
     JOIN supplier_products product USING (cws_product_id)
     JOIN supplier_stock stock USING (cws_product_id)
     ORDER BY candidate.position NULLS LAST, cws_product_id`,
    [item.reservationItemId, item.g2aProductId],
  );
}
