import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the publisher has to know beyond the difference: below which price a sale loses money, which job tells whether a stop
 * has happened, whose switch-off it is that G2A shows, and which offers fail for good. Creations are written down before they are asked
 * for, so that no product gets two offers.
 */
export class AddPublishingState1763900000044 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers
        ADD COLUMN desired_break_even_cents integer,
        ADD COLUMN desired_business_break_even_cents integer,
        ADD COLUMN stop_sent_at timestamptz,
        ADD COLUMN stop_job_id varchar(64),
        ADD COLUMN stop_job_due_at timestamptz,
        ADD COLUMN quarantined_at timestamptz,
        ADD COLUMN deactivation_reason varchar(32);
      UPDATE offers SET deactivation_reason = 'deactivated_by_g2a' WHERE deactivated_at IS NOT NULL;
      ALTER TABLE offers
        ADD CONSTRAINT offers_deactivation_has_reason
          CHECK ((deactivated_at IS NULL) = (deactivation_reason IS NULL)),
        ADD CONSTRAINT offers_stop_job_is_due CHECK ((stop_job_id IS NULL) = (stop_job_due_at IS NULL));
      CREATE TABLE offer_creations (
        g2a_product_id bigint PRIMARY KEY,
        sent_at timestamptz NOT NULL,
        is_settled boolean NOT NULL DEFAULT false,
        job_id varchar(64),
        failure_count integer NOT NULL DEFAULT 0,
        retry_at timestamptz,
        last_error varchar(500)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE offer_creations;
      ALTER TABLE offers
        DROP COLUMN desired_break_even_cents,
        DROP COLUMN desired_business_break_even_cents,
        DROP COLUMN stop_sent_at,
        DROP COLUMN stop_job_id,
        DROP COLUMN stop_job_due_at,
        DROP COLUMN quarantined_at,
        DROP COLUMN deactivation_reason;
    `);
  }
}
