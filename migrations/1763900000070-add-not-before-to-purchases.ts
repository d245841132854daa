import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Until when CWS has no room for a purchase, by its own word (Retry-After). Kept with the row: whatever wakes the purchase earlier, a
 * sweep or the look at its intent, sees it, on every replica and after every start.
 */
export class AddNotBeforeToPurchases1763900000070 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE purchases ADD COLUMN not_before timestamptz');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE purchases DROP COLUMN not_before');
  }
}
