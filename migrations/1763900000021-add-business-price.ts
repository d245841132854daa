import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Retail and business are two prices, because their fees differ. What was computed or sent before was one price for both. G2A's
 * own limits of a price are kept beside what it shows.
 */
export class AddBusinessPrice1763900000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers
        ADD COLUMN desired_business_price_cents integer,
        ADD COLUMN sent_business_price_cents integer,
        ADD COLUMN observed_min_price_cents integer,
        ADD COLUMN observed_max_price_cents integer;
      UPDATE offers SET desired_business_price_cents = desired_price_cents, sent_business_price_cents = sent_price_cents;
      ALTER TABLE offers DROP CONSTRAINT offers_active_is_priced;
      ALTER TABLE offers ADD CONSTRAINT offers_active_is_priced CHECK (NOT desired_is_active OR
        (desired_price_cents > 0 AND desired_business_price_cents > 0 AND desired_size > 0));
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers DROP CONSTRAINT offers_active_is_priced;
      ALTER TABLE offers
        DROP COLUMN desired_business_price_cents,
        DROP COLUMN sent_business_price_cents,
        DROP COLUMN observed_min_price_cents,
        DROP COLUMN observed_max_price_cents;
      ALTER TABLE offers ADD CONSTRAINT offers_active_is_priced
        CHECK (NOT desired_is_active OR (desired_price_cents > 0 AND desired_size > 0));
    `);
  }
}
