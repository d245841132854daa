import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The one definition of "available": what the supplier showed last, less what is spoken for. Expired reservations free their
 * stock by the clock, not by a clean-up job. A piece bought at the time of the snapshot's request or later is still in the
 * snapshot's quantity, so it is taken off until a newer snapshot is there.
 */
export class CreateSupplierStockView1763900000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE VIEW supplier_stock AS
      SELECT
        product.cws_product_id,
        product.name,
        product.price_bands,
        product.requested_at,
        coalesce(held.quantity, 0)::integer AS held,
        CASE
          WHEN product.is_gone OR product.release_date > now() THEN 0
          ELSE greatest(product.quantity - coalesce(held.quantity, 0), 0)
        END::integer AS available
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
      ) held ON true
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP VIEW supplier_stock`);
  }
}
