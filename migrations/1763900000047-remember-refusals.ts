import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When CWS refused a purchase for the product's sake: while it shows the product unchanged, another supplier goes first. */
export class RememberRefusals1763900000047 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE purchases ADD COLUMN refused_at timestamptz');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE purchases DROP COLUMN refused_at');
  }
}
