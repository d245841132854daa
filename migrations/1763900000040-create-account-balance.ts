import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the supplier account can still pay, as CWS said last, and how much of it is spoken for. */
export class CreateAccountBalance1763900000040 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE account_balance (
        id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT account_balance_is_one_row CHECK (id = 1),
        total_to_use_cents bigint,
        currency varchar(3),
        asked_at timestamptz,
        tried_at timestamptz,
        committed_cents bigint NOT NULL DEFAULT 0,
        counted_at timestamptz,
        CONSTRAINT account_balance_is_known_as_a_whole CHECK (num_nulls(total_to_use_cents, currency, asked_at) IN (0, 3))
      );
      INSERT INTO account_balance DEFAULT VALUES;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE account_balance');
  }
}
