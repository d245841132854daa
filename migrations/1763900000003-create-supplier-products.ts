import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What CWS said last about each product, and the pieces of it that are already spoken for. */
export class CreateSupplierProducts1763900000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE supplier_products (
        cws_product_id uuid PRIMARY KEY,
        name varchar(500) NOT NULL,
        quantity integer NOT NULL CONSTRAINT supplier_products_quantity_is_not_negative CHECK (quantity >= 0),
        price_bands jsonb NOT NULL,
        release_date timestamptz,
        is_gone boolean NOT NULL DEFAULT false,
        requested_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
      );

      CREATE TABLE sync_cursors (
        name varchar(64) PRIMARY KEY,
        position timestamptz NOT NULL,
        pass_started_at timestamptz NOT NULL
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE sync_cursors;
      DROP TABLE supplier_products;
    `);
  }
}
