import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Orders that CWS has under our own references and this database does not know: it is older than they are, restored from a
 * back-up. Nothing is bought while one of them is open.
 */
export class CreateUnmatchedSupplierOrders1763900000031 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE unmatched_supplier_orders (
        cws_order_id varchar(64) PRIMARY KEY,
        client_order_id varchar(64) NOT NULL,
        ordered_at timestamptz,
        found_at timestamptz NOT NULL DEFAULT now(),
        resolved_at timestamptz,
        resolved_by varchar(64),
        note varchar(500),
        CONSTRAINT unmatched_supplier_orders_resolution_is_whole
          CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (note IS NULL))
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE unmatched_supplier_orders`);
  }
}
