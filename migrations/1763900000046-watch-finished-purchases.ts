import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * All orders that CWS has made for one purchase, and until when it is asked whether there are more although the purchase is over:
 * one that was sent twice may have been made twice, and one that a person gave up may have been made after all.
 */
export class WatchFinishedPurchases1763900000046 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE purchases
        ADD COLUMN other_cws_order_ids text[] NOT NULL DEFAULT '{}',
        ADD COLUMN watched_until timestamptz;
      CREATE INDEX purchases_watched ON purchases (watched_until) WHERE watched_until IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX purchases_watched;
      ALTER TABLE purchases DROP COLUMN watched_until, DROP COLUMN other_cws_order_ids;
    `);
  }
}
