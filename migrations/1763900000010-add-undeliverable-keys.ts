import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A key that came as a file which may not be handed over (no image or PDF, not base64, too large) is kept: it was paid for. */
export class AddUndeliverableKeys1763900000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE keys ADD COLUMN undeliverable_reason varchar(32)
        CONSTRAINT keys_only_files_are_undeliverable CHECK (undeliverable_reason IS NULL OR kind = 'file')
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE keys DROP COLUMN undeliverable_reason`);
  }
}
