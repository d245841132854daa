import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A supplier price that is not believed yet is kept beside the last accepted one, and counts wherever it would cost us more.
 * `price_revision` lets two writers notice each other: what one has judged by must still be so when it writes.
 */
export class AddUnconfirmedSupplierPrices1763900000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE supplier_products
        ADD COLUMN unconfirmed_price_bands jsonb,
        ADD COLUMN unconfirmed_since timestamptz,
        ADD COLUMN unconfirmed_reason varchar(32),
        ADD COLUMN price_revision integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT supplier_products_unconfirmed_all_or_nothing
          CHECK (num_nulls(unconfirmed_price_bands, unconfirmed_since, unconfirmed_reason) IN (0, 3));
      CREATE INDEX supplier_products_unconfirmed ON supplier_products (unconfirmed_since)
        WHERE unconfirmed_since IS NOT NULL;

      CREATE OR REPLACE VIEW supplier_stock AS
      ${STOCK_COLUMNS}, product.unconfirmed_price_bands
      ${STOCK_SOURCE};
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP VIEW supplier_stock;
      CREATE VIEW supplier_stock AS
      ${STOCK_COLUMNS}
      ${STOCK_SOURCE};

      ALTER TABLE supplier_products
        DROP COLUMN unconfirmed_price_bands,
        DROP COLUMN unconfirmed_since,
        DROP COLUMN unconfirmed_reason,
        DROP COLUMN price_revision;
    `);
  }
}

const STOCK_COLUMNS = `
  SELECT
    product.cws_product_id,
    product.name,
    product.price_bands,
    product.requested_at,
    coalesce(held.quantity, 0)::integer AS held,
    CASE
      WHEN product.is_gone OR product.release_date > now() THEN 0
      ELSE greatest(product.quantity - coalesce(held.quantity, 0), 0)
    END::integer AS available`;

const STOCK_SOURCE = `
  FROM supplier_products product
  LEFT JOIN LATERAL (
    SELECT sum(hold.quantity) AS quantity
    FROM stock_holds hold
    WHERE hold.cws_product_id = product.cws_product_id
      AND CASE hold.state
        WHEN 'reserved' THEN hold.expires_at > now()
        WHEN 'owed' THEN true
        ELSE hold.bought_at >= product.requested_at
      END
  ) held ON true`;
