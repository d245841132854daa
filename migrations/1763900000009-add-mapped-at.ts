import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Since when a supplier product is followed for a mapping. A product that was mapped once, left alone for days and is mapped
 * again has an old snapshot whose changes the feed did not bring in: it must be fetched before it is sold on.
 */
export class AddMappedAt1763900000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `ALTER TABLE product_mapping_suppliers ADD COLUMN mapped_at timestamptz NOT NULL DEFAULT now()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE product_mapping_suppliers DROP COLUMN mapped_at`);
  }
}
