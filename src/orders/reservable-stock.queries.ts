import type { EntityManager } from 'typeorm';
import { LOWEST_SHOWN_PRICE } from '../catalog/offers.queries.js';
import { MAPPING_STOCK_COLUMNS, MAPPING_STOCK_JOIN, type MappingStock } from '../catalog/supplier-products.queries.js';
import type { Cents } from '../money/cents.js';

/** A G2A product with all that decides whether it can be reserved. */
export interface ReservableProduct extends MappingStock {
  /** Lowest price at which G2A may be selling it; null when no listing has shown us an offer yet. */
  readonly shownPriceCents: Cents | null;
  /** CWS ids of its suppliers that were never asked. */
  readonly unseenSuppliers: readonly string[];
}

/** Products as they stand at one moment. */
export interface ReservableStock {
  readonly isPaused: boolean;
  /** Database time, epoch milliseconds. */
  readonly now: number;
  /** Unknown products are absent. */
  readonly products: ReadonlyMap<number, ReservableProduct>;
}

type Row = ReservableProduct & { isPaused: boolean; now: number };

/** Everything a reservation depends on, in one statement; it must come after the one that locks the stock. */
export async function reservableStock(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<ReservableStock> {
  const rows = await manager.query<[Row, ...Row[]]>(
    `SELECT control.is_paused AS "isPaused",
       (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
       ${MAPPING_STOCK_COLUMNS},
       ${LOWEST_SHOWN_PRICE} AS "shownPriceCents",
       ARRAY(
         SELECT cws_product_id::text FROM product_mapping_suppliers link
         WHERE link.g2a_product_id = mapping.g2a_product_id
           AND NOT EXISTS (SELECT FROM supplier_products seen WHERE seen.cws_product_id = link.cws_product_id)
       ) AS "unseenSuppliers"
     FROM control_state control
     LEFT JOIN product_mappings mapping ON mapping.g2a_product_id = ANY ($1)
     LEFT JOIN offers offer ON offer.g2a_product_id = mapping.g2a_product_id
     ${MAPPING_STOCK_JOIN}`,
    [g2aProductIds],
  );
  const [{ isPaused, now }] = rows;
  // The one row of control_state stands alone when no product is known.
  const known = rows.filter((row) => (row.g2aProductId as number | null) !== null);
  return { isPaused, now, products: new Map(known.map((row) => [row.g2aProductId, row])) };
}
