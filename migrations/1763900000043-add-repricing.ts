import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Only offers whose inputs may have changed are priced. What changes by an event is queued by triggers, so that an edit by plain
 * SQL counts like any other: a row of the queue becomes visible with the change itself, in whatever order transactions commit.
 * What changes by the clock is due at `reprice_at`. Holds have no trigger: placing one is the hottest path, and few products
 * have any.
 */
export class AddRepricing1763900000043 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers
        ADD COLUMN reprice_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN priced_with_holds boolean NOT NULL DEFAULT false,
        ADD COLUMN stale_suppliers smallint NOT NULL DEFAULT 0,
        ADD COLUMN size_held_since timestamptz;
      CREATE INDEX offers_reprice_at ON offers (reprice_at);
      CREATE INDEX offers_priced_with_holds ON offers (g2a_product_id) WHERE priced_with_holds;
      CREATE INDEX offers_stale_suppliers ON offers (g2a_product_id) WHERE stale_suppliers > 0;
      CREATE INDEX offers_desired_cost ON offers (desired_cost_cents);
      CREATE INDEX supplier_products_release_date ON supplier_products (release_date) WHERE release_date IS NOT NULL;

      CREATE TABLE repricings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        g2a_product_id bigint NOT NULL
      );
      CREATE TABLE pricing_state (
        id boolean PRIMARY KEY DEFAULT true CONSTRAINT pricing_state_is_one_row CHECK (id),
        inputs_hash varchar(64) NOT NULL,
        payable_cents bigint
      );

      CREATE FUNCTION queue_repricing() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP <> 'INSERT' THEN
          INSERT INTO repricings (g2a_product_id) VALUES (OLD.g2a_product_id);
        END IF;
        IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.g2a_product_id <> OLD.g2a_product_id THEN
          INSERT INTO repricings (g2a_product_id) VALUES (NEW.g2a_product_id);
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER product_mappings_reprice AFTER INSERT OR UPDATE OR DELETE ON product_mappings
        FOR EACH ROW EXECUTE FUNCTION queue_repricing();
      CREATE TRIGGER product_mapping_suppliers_reprice AFTER INSERT OR UPDATE OR DELETE ON product_mapping_suppliers
        FOR EACH ROW EXECUTE FUNCTION queue_repricing();
      CREATE TRIGGER price_simulations_reprice AFTER INSERT OR UPDATE OR DELETE ON price_simulations
        FOR EACH ROW EXECUTE FUNCTION queue_repricing();
      CREATE TRIGGER offers_reprice AFTER UPDATE ON offers
        FOR EACH ROW WHEN (
          (OLD.observed_visibility, OLD.observed_min_price_cents, OLD.observed_max_price_cents, OLD.deactivated_at)
          IS DISTINCT FROM
          (NEW.observed_visibility, NEW.observed_min_price_cents, NEW.observed_max_price_cents, NEW.deactivated_at))
        EXECUTE FUNCTION queue_repricing();

      CREATE FUNCTION queue_repricing_of_mapped() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO repricings (g2a_product_id)
        SELECT g2a_product_id FROM product_mapping_suppliers WHERE cws_product_id = NEW.cws_product_id;
        RETURN NULL;
      END $$;
      CREATE TRIGGER supplier_products_seen_reprice AFTER INSERT ON supplier_products
        FOR EACH ROW EXECUTE FUNCTION queue_repricing_of_mapped();
      CREATE TRIGGER supplier_products_changed_reprice AFTER UPDATE ON supplier_products
        FOR EACH ROW WHEN (
          (OLD.quantity, OLD.price_bands, OLD.unconfirmed_price_bands, OLD.release_date, OLD.is_gone)
          IS DISTINCT FROM
          (NEW.quantity, NEW.price_bands, NEW.unconfirmed_price_bands, NEW.release_date, NEW.is_gone))
        EXECUTE FUNCTION queue_repricing_of_mapped();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER product_mappings_reprice ON product_mappings;
      DROP TRIGGER product_mapping_suppliers_reprice ON product_mapping_suppliers;
      DROP TRIGGER price_simulations_reprice ON price_simulations;
      DROP TRIGGER offers_reprice ON offers;
      DROP TRIGGER supplier_products_seen_reprice ON supplier_products;
      DROP TRIGGER supplier_products_changed_reprice ON supplier_products;
      DROP FUNCTION queue_repricing();
      DROP FUNCTION queue_repricing_of_mapped();
      DROP TABLE pricing_state;
      DROP TABLE repricings;
      DROP INDEX supplier_products_release_date;
      DROP INDEX offers_reprice_at;
      DROP INDEX offers_priced_with_holds;
      DROP INDEX offers_stale_suppliers;
      DROP INDEX offers_desired_cost;
      ALTER TABLE offers
        DROP COLUMN reprice_at,
        DROP COLUMN priced_with_holds,
        DROP COLUMN stale_suppliers,
        DROP COLUMN size_held_since;
    `);
  }
}
