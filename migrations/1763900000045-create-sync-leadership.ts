import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which replica synchronizes: a lease, by the database's clock, that its holder renews. A row and not an advisory lock, which
 * needs a session of its own: behind a pooler there is none, and a connection that dies unnoticed keeps the lock.
 */
export class CreateSyncLeadership1763900000045 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sync_leadership (
        id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT sync_leadership_is_one_row CHECK (id = 1),
        holder uuid,
        acquired_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL DEFAULT now()
      )
    `);
    await queryRunner.query('INSERT INTO sync_leadership DEFAULT VALUES');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE sync_leadership');
  }
}
