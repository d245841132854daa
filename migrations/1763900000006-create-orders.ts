import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Paid orders, what is bought for them, and the keys. The unique indexes are the promises: one order per reservation, one
 * live purchase per order item, one row per supplier code, no code twice.
 */
export class CreateOrders1763900000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        reservation_id uuid NOT NULL CONSTRAINT orders_reservation_fkey REFERENCES reservations,
        g2a_order_id bigint NOT NULL
          CONSTRAINT orders_g2a_id_is_exact CHECK (g2a_order_id BETWEEN 1 AND 9007199254740991),
        state varchar(20) NOT NULL CONSTRAINT orders_state_is_known
          CHECK (state IN ('accepted', 'purchasing', 'fulfilling', 'completed', 'needs_attention', 'failed')),
        attention_reason varchar(500),
        deadline_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX orders_one_per_reservation ON orders (reservation_id);
      CREATE UNIQUE INDEX orders_one_per_g2a_order ON orders (g2a_order_id);
      CREATE INDEX orders_unfinished ON orders (created_at) WHERE state IN ('accepted', 'purchasing', 'fulfilling');

      CREATE TABLE order_items (
        id uuid PRIMARY KEY CONSTRAINT order_items_reservation_item_fkey REFERENCES reservation_items,
        order_id uuid NOT NULL CONSTRAINT order_items_order_fkey REFERENCES orders ON DELETE CASCADE,
        g2a_product_id bigint NOT NULL,
        quantity integer NOT NULL CONSTRAINT order_items_quantity_is_positive CHECK (quantity > 0),
        sale_price_cents integer NOT NULL
      );
      CREATE UNIQUE INDEX order_items_one_per_product ON order_items (order_id, g2a_product_id);

      CREATE TABLE purchases (
        id uuid PRIMARY KEY,
        order_item_id uuid NOT NULL CONSTRAINT purchases_order_item_fkey REFERENCES order_items,
        cws_product_id uuid NOT NULL,
        quantity integer NOT NULL,
        price_cap_cents integer NOT NULL,
        client_order_id varchar(64) NOT NULL,
        state varchar(16) NOT NULL CONSTRAINT purchases_state_is_known
          CHECK (state IN ('intended', 'unknown', 'fulfilling', 'completed', 'dead')),
        cws_order_id varchar(64),
        unit_price_cents integer,
        poll_count integer NOT NULL DEFAULT 0,
        last_error varchar(500),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT purchases_amounts_are_positive CHECK (quantity > 0 AND price_cap_cents > 0)
      );
      CREATE UNIQUE INDEX purchases_one_live_per_order_item ON purchases (order_item_id)
        WHERE state IN ('intended', 'unknown', 'fulfilling');
      CREATE INDEX purchases_order_item ON purchases (order_item_id);
      CREATE UNIQUE INDEX purchases_client_order_id ON purchases (client_order_id);
      CREATE UNIQUE INDEX purchases_cws_order_id ON purchases (cws_order_id);

      CREATE TABLE keys (
        id uuid PRIMARY KEY,
        purchase_id uuid NOT NULL CONSTRAINT keys_purchase_fkey REFERENCES purchases,
        order_item_id uuid NOT NULL CONSTRAINT keys_order_item_fkey REFERENCES order_items,
        cws_code_id varchar(64) NOT NULL,
        kind varchar(8) NOT NULL CONSTRAINT keys_kind_is_known CHECK (kind IN ('text', 'file')),
        ciphertext bytea NOT NULL,
        encryption_key_id varchar(8) NOT NULL,
        fingerprint bytea NOT NULL,
        file_name varchar(255),
        created_at timestamptz NOT NULL DEFAULT now(),
        first_delivered_at timestamptz,
        returned_at timestamptz,
        CONSTRAINT keys_file_has_name CHECK ((kind = 'file') = (file_name IS NOT NULL))
      );
      CREATE UNIQUE INDEX keys_one_per_supplier_code ON keys (cws_code_id);
      CREATE UNIQUE INDEX keys_fingerprint ON keys (fingerprint);
      CREATE INDEX keys_order_item ON keys (order_item_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE keys;
      DROP TABLE purchases;
      DROP TABLE order_items;
      DROP TABLE orders;
    `);
  }
}
