import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Nobody guarantees that CWS's feed announces every change. What we find by asking for a product, before the feed has said
 * anything, is kept until the feed has had its chance; by the verdicts the feed is believed or not.
 */
export class JudgeTheSupplierFeed1763900000042 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE unannounced_changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        cws_product_id uuid NOT NULL,
        found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        passes integer NOT NULL DEFAULT 0,
        verdict varchar(16)
          CONSTRAINT unannounced_changes_verdict_is_known CHECK (verdict IN ('announced', 'missed')),
        judged_at timestamptz,
        CONSTRAINT unannounced_changes_verdict_has_time CHECK ((verdict IS NULL) = (judged_at IS NULL))
      );
      CREATE UNIQUE INDEX unannounced_changes_one_open_per_product ON unannounced_changes (cws_product_id)
        WHERE verdict IS NULL;
      CREATE INDEX unannounced_changes_judged_at ON unannounced_changes (judged_at);

      ALTER TABLE sync_cursors
        ADD COLUMN unreliable_since timestamptz,
        ADD COLUMN sweep_cycle_seconds double precision
          CONSTRAINT sync_cursors_sweep_cycle_is_positive CHECK (sweep_cycle_seconds > 0);

      -- What was sold lately is asked for first.
      CREATE INDEX purchases_created_at ON purchases (created_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX purchases_created_at;
      ALTER TABLE sync_cursors
        DROP COLUMN unreliable_since,
        DROP COLUMN sweep_cycle_seconds;
      DROP TABLE unannounced_changes;
    `);
  }
}
