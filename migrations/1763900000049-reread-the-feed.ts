import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Most passes of the feed overlap the one before a little; now and then one reads again all since the last of its kind. */
export class RereadTheFeed1763900000049 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE sync_cursors ADD COLUMN reread_position timestamptz');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE sync_cursors DROP COLUMN reread_position');
  }
}
