import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { openEmbeddedPostgres } from '../database/embedded/embedded-postgres.js';

/** A database of its own for one run of the demo. */
export interface DemoDatabase {
  /** Contains a password. */
  readonly url: string;
  readonly name: string;
  readonly serverVersion: string;
  /** Shell line that opens the database, without the password. */
  readonly shellLine: string;
  /** Drops the database and leaves the server, which stops when nobody else uses it. */
  close(): Promise<void>;
}

const NAME_PREFIX = 'demo_';

/** Starts (or joins) the demo's embedded server, drops what dead runs left behind, and creates a database. */
export async function openDemoDatabase(directory: string): Promise<DemoDatabase> {
  const server = await openEmbeddedPostgres({ directory, database: 'postgres' });
  const name = `${NAME_PREFIX}${randomBytes(4).toString('hex')}`;
  // Open as long as the run lives, under the database's name: that is how other runs know that it is in use.
  const client = new Client({ connectionString: server.url, application_name: name });
  // The server's end also shows in every other connection; here it must only not end the process.
  client.on('error', () => undefined);
  const leave = async (): Promise<void> => {
    await client.end().catch(() => undefined);
    await server.release();
  };
  try {
    await client.connect();
    await dropDatabasesOfDeadRuns(client);
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return {
      url: url.href,
      name,
      serverVersion: rows[0]?.server_version ?? '',
      shellLine: `PGPASSWORD=$(cat ${join(directory, 'postgres-password')}) psql -h 127.0.0.1 -p ${url.port} -U ${url.username} ${name}`,
      close: async () => {
        try {
          await client.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
        } finally {
          await leave();
        }
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function dropDatabasesOfDeadRuns(client: Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_database
     WHERE starts_with(datname, $1) AND datname NOT IN (SELECT application_name FROM pg_stat_activity)`,
    [NAME_PREFIX],
  );
  for (const { datname } of rows) {
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(datname)} WITH (FORCE)`);
  }
}
