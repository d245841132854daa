import type { EntityManager } from 'typeorm';
import type { PriceBand } from '../money/price-band.js';
import type { SuspicionReason } from '../pricing/price-guard.rules.js';

/** A supplier product whose price is not believed, with the last accepted one. */
export interface UnconfirmedSupplierPrice {
  readonly cwsProductId: string;
  readonly name: string;
  readonly accepted: readonly PriceBand[];
  readonly unconfirmed: readonly PriceBand[];
  readonly since: Date;
  readonly reason: SuspicionReason;
}

/** Those that some mapping uses, oldest first. */
export async function unconfirmedPrices(manager: EntityManager): Promise<UnconfirmedSupplierPrice[]> {
  return manager.query<UnconfirmedSupplierPrice[]>(
    `SELECT cws_product_id AS "cwsProductId", name, price_bands AS accepted, unconfirmed_price_bands AS unconfirmed,
       unconfirmed_since AS since, unconfirmed_reason AS reason
     FROM supplier_products product
     WHERE unconfirmed_since IS NOT NULL
       AND EXISTS (SELECT FROM product_mapping_suppliers link WHERE link.cws_product_id = product.cws_product_id)
     ORDER BY unconfirmed_since, cws_product_id`,
  );
}

/** The prices of a product, locked until the end of the transaction; null for one that was never seen. */
export async function lockPrices(
  manager: EntityManager,
  cwsProductId: string,
): Promise<{ accepted: readonly PriceBand[]; unconfirmed: readonly PriceBand[] | null } | null> {
  const [row] = await manager.query<{ accepted: readonly PriceBand[]; unconfirmed: readonly PriceBand[] | null }[]>(
    `SELECT price_bands AS accepted, unconfirmed_price_bands AS unconfirmed
     FROM supplier_products WHERE cws_product_id = $1 FOR UPDATE`,
    [cwsProductId],
  );
  return row ?? null;
}

/** Makes the unconfirmed price the accepted one. */
export async function acceptUnconfirmedPrice(manager: EntityManager, cwsProductId: string): Promise<void> {
  await manager.query(
    `UPDATE supplier_products SET
       price_bands = unconfirmed_price_bands, unconfirmed_price_bands = NULL, unconfirmed_since = NULL,
       unconfirmed_reason = NULL, price_revision = price_revision + 1, changed_at = now()
     WHERE cws_product_id = $1 AND unconfirmed_price_bands IS NOT NULL`,
    [cwsProductId],
  );
}
