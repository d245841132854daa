import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What happened, append-only: bookkeeping and disputes need a record that nobody can quietly correct. */
export class CreateAuditLog1763900000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor varchar(64) NOT NULL,
        action varchar(64) NOT NULL,
        subject_type varchar(32) NOT NULL,
        subject_id varchar(64) NOT NULL,
        details jsonb NOT NULL DEFAULT '{}'
      );
      CREATE INDEX audit_log_subject ON audit_log (subject_type, subject_id, id);

      CREATE FUNCTION refuse_audit_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit_log is append-only';
      END $$;
      CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_log_change();

      -- Who acts: set by our commands with SET LOCAL keyferry.actor; a hand-written statement is its database user's.
      CREATE FUNCTION current_actor() RETURNS varchar LANGUAGE sql STABLE AS $$
        SELECT left(coalesce(nullif(current_setting('keyferry.actor', true), ''), 'sql:' || session_user), 64)
      $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE audit_log;
      DROP FUNCTION refuse_audit_log_change();
      DROP FUNCTION current_actor();
    `);
  }
}
