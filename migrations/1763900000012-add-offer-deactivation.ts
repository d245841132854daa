import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An offer that G2A has switched off stays off until a person, or G2A's own listing, says otherwise. */
export class AddOfferDeactivation1763900000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers
        ADD COLUMN deactivated_at timestamptz,
        ADD COLUMN deactivation_message varchar(1000),
        ADD CONSTRAINT offers_deactivation_has_message
          CHECK ((deactivated_at IS NULL) = (deactivation_message IS NULL))
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE offers DROP COLUMN deactivated_at, DROP COLUMN deactivation_message`);
  }
}
