import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What all replicas together have used of an upstream's request limits. A replica takes requests in small leases and counts
 * them in memory; a lease counts in full until a whole window after it was last usable, so that a crash loses nothing.
 */
export class CreateRequestBudgets1763900000041 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE request_budgets (
        name varchar(64) PRIMARY KEY,
        asked_at timestamptz NOT NULL DEFAULT now(),
        paused_until timestamptz
      );
      COMMENT ON TABLE request_budgets IS 'One row for each request limit of an upstream; locked while a lease is given.';
      COMMENT ON COLUMN request_budgets.paused_until IS 'The upstream asked for no requests before (429, Retry-After).';

      CREATE TABLE request_leases (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        budget_name varchar(64) NOT NULL CONSTRAINT request_leases_budget REFERENCES request_budgets ON DELETE CASCADE,
        requests integer NOT NULL CONSTRAINT request_leases_requests_is_not_negative CHECK (requests >= 0),
        counts_until timestamptz NOT NULL
      );
      CREATE INDEX request_leases_counting ON request_leases (budget_name, counts_until);
      COMMENT ON TABLE request_leases IS 'Requests that a replica may send, or has sent; deleted some time after counts_until.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE request_leases, request_budgets');
  }
}
