import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What G2A told us, each notification once however often it was sent. */
export class CreateNotifications1763900000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE notifications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        content_hash bytea NOT NULL,
        type varchar(64) NOT NULL,
        occurred_at timestamptz,
        auction_id bigint,
        offer_id varchar(36),
        message varchar(1000),
        payload varchar(4000),
        received_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX notifications_one_per_content ON notifications (content_hash);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE notifications`);
  }
}
