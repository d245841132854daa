import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The owner's pause switch, this installation's identity, and what a person should know. */
export class CreateControlAndAlerts1763900000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE control_state (
        id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT control_state_is_one_row CHECK (id = 1),
        is_paused boolean NOT NULL DEFAULT false,
        reason varchar(500),
        changed_by varchar(64),
        changed_at timestamptz NOT NULL DEFAULT now(),
        installation_id uuid NOT NULL DEFAULT gen_random_uuid()
      );
      INSERT INTO control_state DEFAULT VALUES;

      CREATE TABLE alerts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        kind varchar(64) NOT NULL,
        subject varchar(64) NOT NULL DEFAULT '',
        message varchar(1000) NOT NULL,
        raised_count integer NOT NULL DEFAULT 1,
        first_raised_at timestamptz NOT NULL DEFAULT now(),
        last_raised_at timestamptz NOT NULL DEFAULT now(),
        cleared_at timestamptz
      );
      CREATE UNIQUE INDEX alerts_one_open_per_subject ON alerts (kind, subject) WHERE cleared_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE alerts;
      DROP TABLE control_state;
    `);
  }
}
