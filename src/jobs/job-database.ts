import { Logger } from '@nestjs/common';
import pg from 'pg';
import type PgBoss from 'pg-boss';

/**
 * The job engine's own small connection pool. Ours and not pg-boss's, because pg-boss swallows every error of its fetch query: workers that
 * find no jobs because the database is gone or its schema is missing would look idle.
 */
export class JobDatabase implements PgBoss.Db {
  readonly #logger = new Logger(JobDatabase.name);
  readonly #pool: pg.Pool;
  #isFailing = false;

  constructor(url: string) {
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'keyferry-jobs',
      max: 4,
      keepAlive: true,
      // A connection that died without a word must not hold a worker for ever.
      connectionTimeoutMillis: 5_000,
      query_timeout: 15_000,
    });
    // Without a listener an idle connection that the database closes would end the process.
    this.#pool.on('error', (error) => {
      this.#reportFailure(error);
    });
  }

  async executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    try {
      const result = await this.#pool.query<Record<string, unknown>>(text, values);
      this.#reportSuccess();
      return result;
    } catch (error) {
      this.#reportFailure(error);
      throw error;
    }
  }

  /** Runs `work` while no other process that uses this database does the same. */
  async withInstallLock(work: () => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    // A pool hears the errors of idle connections only, not of one that is lent out.
    client.on('error', (error) => {
      this.#reportFailure(error);
    });
    try {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtext('keyferry-jobs-install'))`);
      await work();
    } finally {
      client.release(true);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  #reportFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#logger.error(`Job queries fail: ${error instanceof Error ? error.message : String(error)}`);
  }

  #reportSuccess(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#logger.log('Job queries succeed again');
  }
}
