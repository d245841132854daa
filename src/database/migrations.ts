import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';

/** Any constant works as long as nothing else of ours uses it: "KEYF" in ASCII. */
const MIGRATION_LOCK = 0x4b455946;

/** Compiled migrations, reached by path because migrations/ is a build of its own (see tsconfig files). */
export const MIGRATIONS_GLOB = fileURLToPath(new URL('../migrations/*.js', import.meta.url));

/**
 * Applies every migration that the database does not have yet. Safe when many replicas call it at once: the first takes an
 * advisory lock, the others wait for it and then find nothing to do.
 * @returns names of the migrations applied by this call, oldest first.
 */
export async function runMigrations(url: string): Promise<string[]> {
  const dataSource = new DataSource({
    ...dataSourceOptions(url, 'keyferry-migrate'),
    migrations: [MIGRATIONS_GLOB],
    poolSize: 2,
  });
  await dataSource.initialize();
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const applied = await dataSource.runMigrations({ transaction: 'each' });
      return applied.map((migration) => migration.name);
    } finally {
      // The session's end would release the lock too; the pool keeps the session, so release it by hand.
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
