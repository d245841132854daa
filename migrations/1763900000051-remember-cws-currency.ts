import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The currency in which CWS's prices are stored, so that a change of CWS_TARGET_CURRENCY is noticed; null before the first start. */
export class RememberCwsCurrency1763900000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE control_state ADD COLUMN cws_currency varchar(3)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE control_state DROP COLUMN cws_currency');
  }
}
