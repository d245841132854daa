import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Each published price with the cost behind it, append-only: margins over time are drawn from it. What a sale leaves after
 * fees is kept as well, for fees change and yesterday's margin must not change with them.
 */
export class CreatePriceHistory1763900000026 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers
        ADD COLUMN desired_income_cents integer,
        ADD COLUMN desired_cws_product_id uuid;

      CREATE TABLE price_history (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        g2a_offer_id uuid NOT NULL,
        g2a_product_id bigint NOT NULL,
        retail_price_cents integer,
        business_price_cents integer,
        cost_cents integer,
        income_cents integer,
        cws_product_id uuid,
        CONSTRAINT price_history_has_a_price CHECK (coalesce(retail_price_cents, business_price_cents) > 0)
      );
      CREATE INDEX price_history_product ON price_history (g2a_product_id, id);
      COMMENT ON TABLE price_history IS 'Each price sent to G2A, with the cost behind it and what a sale leaves after fees, in cents.';

      CREATE FUNCTION refuse_price_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'price_history is append-only';
      END $$;
      CREATE TRIGGER price_history_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_history
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_price_history_change();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE price_history;
      DROP FUNCTION refuse_price_history_change();
      ALTER TABLE offers DROP COLUMN desired_income_cents, DROP COLUMN desired_cws_product_id;
    `);
  }
}
