import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which G2A products are sold, from which CWS products, on which terms. Owners edit these tables with plain SQL, so all but
 * the ids have defaults, the constraints speak for themselves, and triggers (not the program) write the audit rows.
 */
export class CreateProductMappings1763900000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE product_mappings (
        g2a_product_id bigint PRIMARY KEY
          CONSTRAINT product_mappings_id_is_exact CHECK (g2a_product_id BETWEEN 1 AND 9007199254740991),
        is_enabled boolean NOT NULL DEFAULT true,
        fixed_profit_cents integer,
        profit_percent numeric(9, 4),
        fee_percentage numeric(7, 6)
          CONSTRAINT product_mappings_fee_is_a_fraction CHECK (fee_percentage >= 0 AND fee_percentage < 1),
        min_price_cents integer,
        max_price_cents integer,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT product_mappings_profit_is_not_negative CHECK (fixed_profit_cents >= 0 AND profit_percent >= 0),
        CONSTRAINT product_mappings_bounds_are_ordered
          CHECK (min_price_cents > 0 AND max_price_cents > 0 AND min_price_cents <= max_price_cents)
      );
      COMMENT ON TABLE product_mappings IS 'G2A products that are offered. A null term means the default from the environment.';
      COMMENT ON COLUMN product_mappings.fixed_profit_cents IS 'Least profit per sale, in cents.';
      COMMENT ON COLUMN product_mappings.profit_percent IS 'Least profit per sale, in percent of cost; the larger of both counts.';
      COMMENT ON COLUMN product_mappings.fee_percentage IS 'What G2A keeps, as a fraction: 0.15 is 15 percent.';
      COMMENT ON COLUMN product_mappings.max_price_cents IS 'Not sold when the price that keeps the profit is higher.';

      CREATE TABLE product_mapping_suppliers (
        g2a_product_id bigint NOT NULL
          CONSTRAINT product_mapping_suppliers_mapping_fkey REFERENCES product_mappings ON DELETE CASCADE,
        cws_product_id uuid NOT NULL,
        position smallint NOT NULL DEFAULT 0,
        CONSTRAINT product_mapping_suppliers_pkey PRIMARY KEY (g2a_product_id, cws_product_id)
      );
      CREATE INDEX product_mapping_suppliers_cws_product ON product_mapping_suppliers (cws_product_id);
      COMMENT ON TABLE product_mapping_suppliers IS 'CWS products that can serve a mapping; the cheapest with stock is used.';

      CREATE FUNCTION touch_product_mapping() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.updated_at := now();
        RETURN NEW;
      END $$;
      CREATE TRIGGER product_mappings_touch BEFORE UPDATE ON product_mappings
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_product_mapping();

      CREATE FUNCTION audit_product_mapping() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) - 'updated_at' END;
        new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) - 'updated_at' END;
        subject text := coalesce(new_row, '{}') ->> 'g2a_product_id';
      BEGIN
        IF old_row = new_row THEN
          RETURN NULL;
        END IF;
        INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
        VALUES (
          current_actor(),
          TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.created' WHEN 'UPDATE' THEN '.updated' ELSE '.deleted' END,
          'product_mapping',
          coalesce(subject, old_row ->> 'g2a_product_id'),
          jsonb_strip_nulls(jsonb_build_object(
            'before', (SELECT jsonb_object_agg(key, value) FROM jsonb_each(old_row) WHERE new_row -> key IS DISTINCT FROM value),
            'after', (SELECT jsonb_object_agg(key, value) FROM jsonb_each(new_row) WHERE old_row -> key IS DISTINCT FROM value)
          ))
        );
        RETURN NULL;
      END $$;
      CREATE TRIGGER product_mappings_audit AFTER INSERT OR UPDATE OR DELETE ON product_mappings
        FOR EACH ROW EXECUTE FUNCTION audit_product_mapping('mapping');
      CREATE TRIGGER product_mapping_suppliers_audit AFTER INSERT OR UPDATE OR DELETE ON product_mapping_suppliers
        FOR EACH ROW EXECUTE FUNCTION audit_product_mapping('mapping.supplier');
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE product_mapping_suppliers;
      DROP TABLE product_mappings;
      DROP FUNCTION audit_product_mapping();
      DROP FUNCTION touch_product_mapping();
    `);
  }
}
