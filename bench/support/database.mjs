import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { openEmbeddedPostgres } from '../../dist/database/embedded/embedded-postgres.js';

const DIRECTORY = resolve(import.meta.dirname, '../../.keyferry/bench');

/** A database of its own on the benchmarks' embedded server, whose settings are PostgreSQL's own: every commit is on disk. */
export async function openDatabase(closers) {
  const server = await openEmbeddedPostgres({ directory: DIRECTORY, database: 'postgres' });
  closers.push(() => server.release());
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: server.url, application_name: name });
  await admin.connect();
  closers.push(() => admin.end());
  await dropDatabasesOfDeadRuns(admin);
  await admin.query(`CREATE DATABASE ${name}`);
  closers.push(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(server.url);
  url.pathname = name;
  return { url: url.href, admin, databaseName: name, logFile: join(DIRECTORY, 'postgres.log') };
}

/** A run is alive as long as its connection of that name is open. */
async function dropDatabasesOfDeadRuns(admin) {
  const { rows } = await admin.query(
    `SELECT datname FROM pg_database
     WHERE starts_with(datname, 'bench_') AND datname NOT IN (SELECT application_name FROM pg_stat_activity)`,
  );
  for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
}
