import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whose look-ups have proven themselves: CWS's test system and its live one, or two accounts, say nothing about each other. Of what
 * was learned before, nobody knows on which account it was: it is forgotten, and learned anew from the next confirmed purchases.
 */
export class KnowLookupsByAccount1763900000060 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM purchase_lookups;
      ALTER TABLE purchase_lookups
        ADD COLUMN account varchar(16) NOT NULL,
        DROP CONSTRAINT purchase_lookups_pkey,
        ADD CONSTRAINT purchase_lookups_pkey PRIMARY KEY (account, way);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // Of several accounts' rows none may count for all.
    await queryRunner.query(`
      DELETE FROM purchase_lookups;
      ALTER TABLE purchase_lookups
        DROP CONSTRAINT purchase_lookups_pkey,
        DROP COLUMN account,
        ADD CONSTRAINT purchase_lookups_pkey PRIMARY KEY (way);
    `);
  }
}
