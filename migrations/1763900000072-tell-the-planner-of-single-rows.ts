import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A table that was never analyzed is planned for as if it had hundreds of rows, and autovacuum never looks at one row that hardly
 * changes: the statement that every reservation runs prepared for 110 pause switches. Nobody searches the details of the audit log, and
 * analyzing JSON takes autovacuum longer than all other tables together.
 */
export class TellThePlannerOfSingleRows1763900000072 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ANALYZE control_state, account_balance');
    await queryRunner.query('ALTER TABLE audit_log ALTER COLUMN details SET STATISTICS 0');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE audit_log ALTER COLUMN details SET STATISTICS DEFAULT');
  }
}
