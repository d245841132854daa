import type { MigrationInterface, QueryRunner } from 'typeorm';

const BEFORE = `'accepted', 'purchasing', 'fulfilling', 'completed', 'needs_attention', 'failed'`;

/** A person may settle an order: served by hand (`resolved`), or paid back (`failed`). */
export class AddResolvedOrders1763900000032 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE orders DROP CONSTRAINT orders_state_is_known,
        ADD CONSTRAINT orders_state_is_known CHECK (state IN (${BEFORE}, 'resolved'));
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE orders SET state = 'failed' WHERE state = 'resolved';
      ALTER TABLE orders DROP CONSTRAINT orders_state_is_known,
        ADD CONSTRAINT orders_state_is_known CHECK (state IN (${BEFORE}));
    `);
  }
}
