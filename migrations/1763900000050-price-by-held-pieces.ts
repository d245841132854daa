import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An offer is priced anew when other pieces are spoken for than when it was priced, not as long as any are. The queue is emptied
 * by product, a chunk at a time.
 */
export class PriceByHeldPieces1763900000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE offers DROP COLUMN priced_with_holds, ADD COLUMN priced_holds text;
      CREATE INDEX offers_priced_holds ON offers (g2a_product_id) WHERE priced_holds IS NOT NULL;
      CREATE INDEX repricings_product ON repricings (g2a_product_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX repricings_product;
      DROP INDEX offers_priced_holds;
      ALTER TABLE offers DROP COLUMN priced_holds, ADD COLUMN priced_with_holds boolean NOT NULL DEFAULT false;
      CREATE INDEX offers_priced_with_holds ON offers (g2a_product_id) WHERE priced_with_holds;
    `);
  }
}
