import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many codes of a purchase are pre-orders that have not come: they may take weeks, and are asked for until they do. */
export class AddAwaitedPreorders1763900000033 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE purchases ADD COLUMN awaited_preorders integer NOT NULL DEFAULT 0
        CONSTRAINT purchases_awaited_preorders_is_not_negative CHECK (awaited_preorders >= 0)
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE purchases DROP COLUMN awaited_preorders');
  }
}
