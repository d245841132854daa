// Opens the embedded server once per test run and makes one migrated template database; each test file gets a copy of it
// (support/test-database.ts). Plain JavaScript on the build in dist/, because Jest does not transform ESM here.
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { runMigrations } from '../dist/database/migrations.js';
import globalTeardown from './global-teardown.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export default async function globalSetup() {
  const server = await openEmbeddedPostgres({
    directory: join(root, '.keyferry', 'test'),
    // Nothing here has to survive a power cut.
    serverSettings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  // A database belongs to a run by its prefix, and a run is alive as long as its connection of that name is open.
  const run = `keyferry_test_${randomBytes(4).toString('hex')}`;
  const connection = new pg.Client({ connectionString: server.url, application_name: run });
  globalThis.keyferryTestRun = { run, server, connection };
  try {
    await connection.connect();
    await dropDatabasesOfDeadRuns(connection);
    const template = `${run}_template`;
    await createTemplate(connection, server.url, template);
    // Read by the workers, which inherit the environment.
    process.env.KEYFERRY_TEST_SERVER_URL = server.url;
    process.env.KEYFERRY_TEST_TEMPLATE = template;
  } catch (error) {
    // Jest does not call the teardown of a setup that failed.
    await globalTeardown();
    throw error;
  }
}

async function createTemplate(connection, serverUrl, template) {
  await connection.query(`CREATE DATABASE ${template}`);
  const url = new URL(serverUrl);
  url.pathname = template;
  await runMigrations(url.href);
  // A template that somebody is connected to cannot be copied.
  await connection.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
}

async function dropDatabasesOfDeadRuns(connection) {
  const { rows } = await connection.query(`
    SELECT database.datname FROM pg_database database
    WHERE database.datname ~ '^keyferry_test_[0-9a-f]{8}_'
      AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = left(database.datname, length('keyferry_test_') + 8))`);
  for (const { datname } of rows) await connection.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
}
