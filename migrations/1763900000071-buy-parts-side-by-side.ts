import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A part of a quantity that its supplier is slow with does not keep the other parts from being bought elsewhere: one live purchase per
 * item and supplier product, in place of one per item. That all parts together are no more than what is owed is guarded under the order's lock.
 *
 * Going back fails while an item has two live purchases: neither may be forgotten.
 */
export class BuyPartsSideBySide1763900000071 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE UNIQUE INDEX purchases_one_live_per_item_and_product ON purchases (order_item_id, cws_product_id)
        WHERE state IN ('intended', 'unknown', 'fulfilling');
      DROP INDEX purchases_one_live_per_order_item;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE UNIQUE INDEX purchases_one_live_per_order_item ON purchases (order_item_id)
        WHERE state IN ('intended', 'unknown', 'fulfilling');
      DROP INDEX purchases_one_live_per_item_and_product;
    `);
  }
}
