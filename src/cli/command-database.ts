import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/app-config.js';
import { ControlState } from '../control/control-state.entity.js';
import { dataSourceOptions } from '../database/data-source-options.js';
import { openDatabaseServer } from '../database/database-server.js';
import { runMigrations } from '../database/migrations.js';
import { JobDatabase } from '../jobs/job-database.js';
import { JobQueue } from '../jobs/job-queue.js';
import { startBoss } from '../jobs/start-boss.js';

/** The configured database with the current schema, for the time of one command. */
export interface CommandDatabase {
  readonly dataSource: DataSource;
  /** Its connection URL; contains a password. */
  readonly url: string;
  /** Names of the migrations that were pending, oldest first. */
  readonly appliedMigrations: readonly string[];
}

/**
 * Opens the database, brings its schema up to date and closes everything after `work`. An embedded server that another
 * process runs is shared, and one that we start is stopped again.
 */
export async function withDatabase(
  config: DatabaseConfig,
  work: (database: CommandDatabase) => Promise<void>,
): Promise<void> {
  const server = await openDatabaseServer({ databaseUrl: config.databaseUrl });
  try {
    const appliedMigrations = await runMigrations(server.url);
    const options = dataSourceOptions(server.url, 'keyferry-cli');
    const dataSource = new DataSource({ ...options, entities: [ControlState], poolSize: 1 });
    await dataSource.initialize();
    try {
      await work({ dataSource, url: server.url, appliedMigrations });
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await server.release();
  }
}

/** Sends jobs to the workers of the service, for the time of `work`. */
export async function withJobQueue(url: string, work: (jobs: JobQueue) => Promise<void>): Promise<void> {
  const database = new JobDatabase(url);
  try {
    const boss = await startBoss(database, false);
    try {
      await work(new JobQueue(boss, database));
    } finally {
      await boss.stop({ graceful: false });
    }
  } finally {
    await database.close();
  }
}
