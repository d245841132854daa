import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a unit of the supplier account's currency costs in euros. Append-only, because prices and purchases were decided by
 * these rates: a wrong one is corrected by a newer one. Owners add rates with plain SQL too, so the constraints speak for
 * themselves, and a trigger (not the program) writes the audit rows.
 */
export class CreateExchangeRates1763900000023 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE exchange_rates (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        currency varchar(3) NOT NULL,
        rate numeric(16, 12) NOT NULL,
        margin_percent numeric(7, 4) NOT NULL DEFAULT 0,
        as_of timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        actor varchar(64) NOT NULL DEFAULT current_actor(),
        CONSTRAINT exchange_rates_currency_is_a_foreign_one CHECK (currency ~ '^[A-Z]{3}$' AND currency <> 'EUR'),
        CONSTRAINT exchange_rates_rate_is_in_range CHECK (rate > 0 AND rate <= 1000),
        CONSTRAINT exchange_rates_margin_is_in_range CHECK (margin_percent >= 0 AND margin_percent <= 100),
        -- A rate from the future would never grow too old.
        CONSTRAINT exchange_rates_as_of_has_passed CHECK (as_of <= created_at)
      );
      CREATE INDEX exchange_rates_latest ON exchange_rates (currency, as_of, id);
      COMMENT ON TABLE exchange_rates IS 'Euros for one unit of a currency. The latest as_of of a currency counts.';
      COMMENT ON COLUMN exchange_rates.rate IS 'Euros for one unit of the currency, before the margin: 1.17 for GBP.';
      COMMENT ON COLUMN exchange_rates.margin_percent IS 'Added to the rate for safety, in percent of it.';

      CREATE FUNCTION refuse_exchange_rate_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'exchange_rates is append-only: insert a newer rate instead';
      END $$;
      CREATE TRIGGER exchange_rates_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rates
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_exchange_rate_change();

      CREATE FUNCTION audit_exchange_rate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
        VALUES (
          NEW.actor, 'exchange_rate.set', 'exchange_rate', NEW.currency,
          jsonb_build_object('rate', NEW.rate::text, 'marginPercent', NEW.margin_percent::text, 'asOf', NEW.as_of)
        );
        RETURN NULL;
      END $$;
      CREATE TRIGGER exchange_rates_audit AFTER INSERT ON exchange_rates
        FOR EACH ROW EXECUTE FUNCTION audit_exchange_rate();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE exchange_rates;
      DROP FUNCTION refuse_exchange_rate_change();
      DROP FUNCTION audit_exchange_rate();
    `);
  }
}
