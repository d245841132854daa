import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import type { CharmEnding } from '../pricing/pricing-terms.js';

/** One possible supplier of a mapping as it stands now. */
export interface MappingSupplier {
  readonly cwsProductId: string;
  readonly bands: readonly PriceBand[];
  /** What CWS says now and is not believed yet; null when nothing is unconfirmed, empty when it shows no price any more. */
  readonly unconfirmedBands: readonly PriceBand[] | null;
  /** Pieces not spoken for. */
  readonly available: number;
  /**
   * Fresh as of: the product's own last request, or the start of the last complete feed pass if the feed covers it and is
   * believed. Epoch milliseconds.
   */
  readonly freshAsOf: number;
  /** When CWS was last asked what it then said about the product itself, by id or in its feed. Epoch milliseconds. */
  readonly requestedAt: number;
}

/** A supplier's stock and prices, whenever they were heard. */
export type SupplierStock = Omit<MappingSupplier, 'freshAsOf' | 'requestedAt'>;

/** The terms of a mapping, as the owner wrote them; null: the default. */
interface MappingColumns {
  readonly g2aProductId: number;
  readonly isEnabled: boolean;
  readonly fixedProfitCents: Cents | null;
  readonly profitPercent: string | null;
  readonly feePercentage: string | null;
  readonly feeFixedCents: Cents | null;
  readonly charmEnding: CharmEnding | null;
  readonly minPriceCents: Cents | null;
  readonly maxPriceCents: Cents | null;
}

/** A mapping with everything that pricing and reservations need to know about it. */
export interface MappingStock extends MappingColumns {
  /** In the mapping's order. */
  readonly suppliers: readonly MappingSupplier[];
  /** CWS ids of its suppliers that were never asked. */
  readonly unseenSuppliers: readonly string[];
}

/** One supplier of a mapping, both as columns. No row: not mapped; no supplier, or none seen: null columns. */
export interface MappingStockRow extends MappingColumns {
  readonly cwsProductId: string | null;
  /** The supplier's place in the mapping. */
  readonly position: number | null;
  readonly bands: readonly PriceBand[] | null;
  readonly unconfirmedBands: readonly PriceBand[] | null;
  readonly available: number | null;
  readonly freshAsOf: number | null;
  readonly requestedAt: number | null;
}

export const FEED_JOIN = `LEFT JOIN sync_cursors feed ON feed.name = 'cws_products'`;

/** Epoch milliseconds, of a `link` with its `stock` and the `feed`; null when it was never asked for. */
export const FRESH_AS_OF = `
  -- A feed that is believed vouches for a product that was fetched since it was mapped: before, nobody followed its changes.
  date_part('epoch', CASE WHEN stock.requested_at >= link.mapped_at AND feed.unreliable_since IS NULL
    THEN greatest(stock.requested_at, feed.pass_started_at) ELSE stock.requested_at END) * 1000`;

/**
 * Select list and joins that turn `product_mappings mapping` into a MappingStockRow per supplier. Plain columns, for building JSON of
 * them takes PostgreSQL longer than the joins; in no order, for that of one row still costs a tenth of the statement.
 */
export const MAPPING_STOCK_COLUMNS = `
  mapping.g2a_product_id AS "g2aProductId",
  mapping.is_enabled AS "isEnabled",
  mapping.fixed_profit_cents AS "fixedProfitCents",
  mapping.profit_percent::text AS "profitPercent",
  mapping.fee_percentage::text AS "feePercentage",
  mapping.fee_fixed_cents AS "feeFixedCents",
  mapping.charm_ending AS "charmEnding",
  mapping.min_price_cents AS "minPriceCents",
  mapping.max_price_cents AS "maxPriceCents",
  link.cws_product_id AS "cwsProductId",
  link.position AS "position",
  stock.price_bands AS "bands",
  stock.unconfirmed_price_bands AS "unconfirmedBands",
  stock.available AS "available",
  ${FRESH_AS_OF} AS "freshAsOf",
  date_part('epoch', stock.requested_at) * 1000 AS "requestedAt"`;

export const MAPPING_STOCK_JOIN = `
  LEFT JOIN product_mapping_suppliers link ON link.g2a_product_id = mapping.g2a_product_id
  LEFT JOIN supplier_stock stock ON stock.cws_product_id = link.cws_product_id
  ${FEED_JOIN}`;

/** The mappings of these rows, by their products' ids, each with a row of its own for what else was selected with it. */
export function collectMappings<Row extends MappingStockRow>(
  rows: readonly Row[],
): { readonly mapping: MappingStock; readonly row: Row }[] {
  const collected: { mapping: MappingStock & { suppliers: MappingSupplier[]; unseenSuppliers: string[] }; row: Row }[] =
    [];
  for (const row of [...rows].sort(byProductAndPosition)) {
    let current = collected.at(-1);
    if (current?.row.g2aProductId !== row.g2aProductId) {
      current = { mapping: emptyMapping(row), row };
      collected.push(current);
    }
    const { cwsProductId, bands, unconfirmedBands, available, freshAsOf, requestedAt } = row;
    if (cwsProductId === null) continue;
    if (bands === null || available === null || freshAsOf === null || requestedAt === null) {
      current.mapping.unseenSuppliers.push(cwsProductId);
    } else {
      const supplier = { cwsProductId, bands, unconfirmedBands, available, freshAsOf, requestedAt };
      current.mapping.suppliers.push(supplier);
    }
  }
  return collected;
}

function byProductAndPosition(one: MappingStockRow, other: MappingStockRow): number {
  return (
    one.g2aProductId - other.g2aProductId ||
    (one.position ?? 0) - (other.position ?? 0) ||
    ((one.cwsProductId ?? '') < (other.cwsProductId ?? '') ? -1 : 1)
  );
}

function emptyMapping(row: MappingColumns) {
  const { g2aProductId, isEnabled, fixedProfitCents, profitPercent, feePercentage, minPriceCents, maxPriceCents } = row;
  const { feeFixedCents, charmEnding } = row;
  return {
    g2aProductId,
    isEnabled,
    fixedProfitCents,
    profitPercent,
    feePercentage,
    feeFixedCents,
    charmEnding,
    minPriceCents,
    maxPriceCents,
    suppliers: [],
    unseenSuppliers: [],
  };
}

/** The mapping of a G2A product with its suppliers' stock as of this statement; null when it is not mapped. */
export async function mappingStock(manager: EntityManager, g2aProductId: number): Promise<MappingStock | null> {
  const rows = await manager.query<MappingStockRow[]>(
    `SELECT ${MAPPING_STOCK_COLUMNS} FROM product_mappings mapping ${MAPPING_STOCK_JOIN}
     WHERE mapping.g2a_product_id = $1`,
    [g2aProductId],
  );
  return collectMappings(rows)[0]?.mapping ?? null;
}
