import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What G2A says that a sale earns, by product and price band: its word counts more than the configured fee. */
export class CreatePriceSimulations1763900000024 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE price_simulations (
        g2a_product_id bigint NOT NULL,
        price_band integer NOT NULL,
        price_cents integer NOT NULL CONSTRAINT price_simulations_price_is_positive CHECK (price_cents > 0),
        income_cents integer,
        business_income_cents integer,
        failure varchar(500),
        simulated_at timestamptz NOT NULL,
        PRIMARY KEY (g2a_product_id, price_band),
        CONSTRAINT price_simulations_has_outcome CHECK (income_cents IS NOT NULL OR failure IS NOT NULL)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE price_simulations`);
  }
}
