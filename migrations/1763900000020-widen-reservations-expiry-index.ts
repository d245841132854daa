import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Released reservations are cleaned up by age as well, so they belong into the index by which that finds its rows. */
export class WidenReservationsExpiryIndex1763900000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX reservations_expiry;
      CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state <> 'ordered';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX reservations_expiry;
      CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'active';
    `);
  }
}
