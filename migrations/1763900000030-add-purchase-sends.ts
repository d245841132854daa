import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How often a purchase was sent and when its outcome counts as settled, and what is known about CWS's two look-ups: only where
 * both have proven themselves may a purchase that neither finds be sent again.
 */
export class AddPurchaseSends1763900000030 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE purchases
        ADD COLUMN send_count integer NOT NULL DEFAULT 1
          CONSTRAINT purchases_send_count_is_not_negative CHECK (send_count >= 0),
        ADD COLUMN send_claimed_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN settles_at timestamptz,
        ADD COLUMN lookups_checked_at timestamptz;
      CREATE INDEX purchases_lookups_unchecked ON purchases (created_at)
        WHERE cws_order_id IS NOT NULL AND lookups_checked_at IS NULL;

      CREATE INDEX purchases_pending ON purchases (created_at) WHERE state = 'fulfilling';

      CREATE TABLE purchase_lookups (
        way varchar(16) PRIMARY KEY CONSTRAINT purchase_lookups_way_is_known CHECK (way IN ('by_id', 'by_history')),
        found_at timestamptz,
        missed_at timestamptz
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE purchase_lookups;
      DROP INDEX purchases_pending;
      DROP INDEX purchases_lookups_unchecked;
      ALTER TABLE purchases
        DROP COLUMN lookups_checked_at, DROP COLUMN settles_at, DROP COLUMN send_claimed_at, DROP COLUMN send_count;
    `);
  }
}
