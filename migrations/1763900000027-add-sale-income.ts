import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a sale leaves after the fees of its time is kept with it: fees and their real height may change before the key is bought. */
export class AddSaleIncome1763900000027 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['reservation_items', 'order_items']) {
      // For sales made before: by the mapping's fee, or by one higher than any that is common.
      await queryRunner.query(`
        ALTER TABLE ${table} ADD COLUMN sale_income_cents integer;
        UPDATE ${table} item SET sale_income_cents = floor(sale_price_cents * (1 - coalesce(
          (SELECT fee_percentage FROM product_mappings mapping WHERE mapping.g2a_product_id = item.g2a_product_id), 0.3)));
        ALTER TABLE ${table} ALTER COLUMN sale_income_cents SET NOT NULL;
      `);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE order_items DROP COLUMN sale_income_cents;
      ALTER TABLE reservation_items DROP COLUMN sale_income_cents;
    `);
  }
}
