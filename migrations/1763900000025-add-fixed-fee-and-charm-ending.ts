import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The fixed part of G2A's fee and the price's last digits differ between products, like every other term. */
export class AddFixedFeeAndCharmEnding1763900000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE product_mappings
        ADD COLUMN fee_fixed_cents integer
          CONSTRAINT product_mappings_fixed_fee_is_not_negative CHECK (fee_fixed_cents >= 0),
        ADD COLUMN charm_ending varchar(3)
          CONSTRAINT product_mappings_charm_ending_is_known CHECK (charm_ending IN ('.99', '.49'));
      COMMENT ON COLUMN product_mappings.fee_fixed_cents IS 'What G2A keeps of each sale on top of its fraction, in cents.';
      COMMENT ON COLUMN product_mappings.charm_ending IS 'Last digits that a price is raised to, .99 or .49; null: as computed.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE product_mappings DROP COLUMN fee_fixed_cents, DROP COLUMN charm_ending`);
  }
}
