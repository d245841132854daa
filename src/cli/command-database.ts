import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/app-config.js';
import { ControlState } from '../control/control-state.entity.js';
import { dataSourceOptions } from '../database/data-source-options.js';
import { openDatabaseServer } from '../database/database-server.js';
import { MIGRATIONS_GLOB, runMigrations } from '../database/migrations.js';
import { JobDatabase } from '../jobs/job-database.js';
import { JobQueue } from '../jobs/job-queue.js';
import { startBoss } from '../jobs/start-boss.js';
import { CommandError } from './failure.js';

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
  await withServer(config, async (url) => {
    const appliedMigrations = await runMigrations(url);
    await withDataSource(url, (dataSource) => work({ dataSource, url, appliedMigrations }));
  });
}

/**
 * The same for commands that only look: leaves the schema as it is.
 * @throws CommandError when migrations are pending, for the statements of this release need them.
 */
export async function withUnchangedDatabase(
  config: DatabaseConfig,
  work: (database: Pick<CommandDatabase, 'dataSource'>) => Promise<void>,
): Promise<void> {
  await withServer(config, (url) =>
    withDataSource(url, async (dataSource) => {
      const pending = await pendingMigrations(dataSource);
      if (pending > 0) {
        throw new CommandError(
          `This command changes nothing, and ${pending} ${pending === 1 ? 'migration is' : 'migrations are'} pending: ` +
            'apply them first, with: npm run cli -- migrate',
        );
      }
      await work({ dataSource });
    }),
  );
}

async function withServer(config: DatabaseConfig, work: (url: string) => Promise<void>): Promise<void> {
  const server = await openDatabaseServer({ databaseUrl: config.databaseUrl });
  try {
    await work(server.url);
  } finally {
    await server.release();
  }
}

async function withDataSource(url: string, work: (dataSource: DataSource) => Promise<void>): Promise<void> {
  const options = dataSourceOptions(url, 'keyferry-cli');
  const dataSource = new DataSource({
    ...options,
    entities: [ControlState],
    migrations: [MIGRATIONS_GLOB],
    poolSize: 1,
  });
  await dataSource.initialize();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** How many there are. TypeORM's own question would create its table when that is missing. */
async function pendingMigrations({ manager, migrations, options }: DataSource): Promise<number> {
  const table = options.migrationsTableName ?? '';
  const [found] = await manager.query<[{ isThere: boolean }]>('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [
    table,
  ]);
  if (!found.isThere) return migrations.length;
  const applied = await manager.query<{ name: string }[]>(`SELECT name FROM "${table}"`);
  const names = new Set(applied.map(({ name }) => name));
  return migrations.filter((migration) => !names.has(migration.name ?? migration.constructor.name)).length;
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
