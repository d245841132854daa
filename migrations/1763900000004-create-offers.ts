import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Our offers on G2A: desired, observed and sent state side by side, so that publishing is closing a difference. */
export class CreateOffers1763900000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE offers (
        g2a_offer_id uuid PRIMARY KEY,
        g2a_product_id bigint NOT NULL,
        desired_price_cents integer,
        desired_size integer NOT NULL DEFAULT 0
          CONSTRAINT offers_size_is_allowed CHECK (desired_size BETWEEN 0 AND 10000),
        desired_is_active boolean NOT NULL DEFAULT false,
        desired_reason varchar(64) NOT NULL DEFAULT 'not_priced_yet',
        desired_cost_cents integer,
        observed_retail_price_cents integer,
        observed_business_price_cents integer,
        observed_size integer,
        observed_is_active boolean NOT NULL,
        observed_visibility varchar(16) NOT NULL DEFAULT 'all',
        observed_at timestamptz NOT NULL,
        sent_price_cents integer,
        sent_lowest_price_cents integer,
        sent_size integer,
        sent_is_active boolean,
        sent_at timestamptz,
        failure_count integer NOT NULL DEFAULT 0,
        retry_at timestamptz,
        last_error varchar(500),
        CONSTRAINT offers_active_is_priced
          CHECK (NOT desired_is_active OR (desired_price_cents > 0 AND desired_size > 0))
      );
      CREATE UNIQUE INDEX offers_g2a_product ON offers (g2a_product_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE offers`);
  }
}
