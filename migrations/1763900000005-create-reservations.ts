import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Claims of G2A customers on stock, and the holds that keep two customers from claiming the same piece. */
export class CreateReservations1763900000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE reservations (
        id uuid PRIMARY KEY,
        state varchar(16) NOT NULL
          CONSTRAINT reservations_state_is_known CHECK (state IN ('active', 'released', 'ordered')),
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'active';

      CREATE TABLE reservation_items (
        id uuid PRIMARY KEY,
        reservation_id uuid NOT NULL
          CONSTRAINT reservation_items_reservation_fkey REFERENCES reservations ON DELETE CASCADE,
        g2a_product_id bigint NOT NULL,
        quantity integer NOT NULL CONSTRAINT reservation_items_quantity_is_positive CHECK (quantity > 0),
        sale_price_cents integer NOT NULL
          CONSTRAINT reservation_items_sale_price_is_positive CHECK (sale_price_cents > 0),
        quoted_unit_price varchar(32),
        quoted_base_price varchar(32)
      );
      CREATE UNIQUE INDEX reservation_items_one_per_product ON reservation_items (reservation_id, g2a_product_id);

      -- reservation_item_id has no foreign key: the table belongs to the floor below the one that reserves.
      CREATE TABLE stock_holds (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        cws_product_id uuid NOT NULL
          CONSTRAINT stock_holds_supplier_product_fkey REFERENCES supplier_products,
        reservation_item_id uuid NOT NULL,
        quantity integer NOT NULL CONSTRAINT stock_holds_quantity_is_positive CHECK (quantity > 0),
        state varchar(16) NOT NULL
          CONSTRAINT stock_holds_state_is_known CHECK (state IN ('reserved', 'owed', 'bought')),
        expires_at timestamptz,
        bought_at timestamptz,
        CONSTRAINT stock_holds_reserved_expires CHECK ((state = 'reserved') = (expires_at IS NOT NULL)),
        CONSTRAINT stock_holds_bought_has_time CHECK ((state = 'bought') = (bought_at IS NOT NULL))
      );
      CREATE INDEX stock_holds_cws_product ON stock_holds (cws_product_id);
      CREATE INDEX stock_holds_reservation_item ON stock_holds (reservation_item_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE stock_holds;
      DROP TABLE reservation_items;
      DROP TABLE reservations;
    `);
  }
}
