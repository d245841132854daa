import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';

/** A migrated, empty database of one test file. */
export interface TestDatabase {
  /** Connection URL; as superuser. */
  readonly url: string;
  /**
   * Drops the database. Call it in `afterAll`, last.
   * @throws when a connection is still open, because the test file leaks a worker, a pool or a process. The database is gone anyway.
   */
  drop(): Promise<void>;
}

/** A closed connection's server process needs a moment to disappear. */
const FAREWELL_MILLISECONDS = 2_000;

/** Creates a database from the run's template (test/global-setup.mjs), which takes well below a second. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = fromGlobalSetup('KEYFERRY_TEST_TEMPLATE');
  const name = `${template.replace(/_template$/, '')}_${randomBytes(6).toString('hex')}`;
  await asAdmin(async (admin) => {
    await admin.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`);
  });
  const url = new URL(fromGlobalSetup('KEYFERRY_TEST_SERVER_URL'));
  url.pathname = name;
  return { url: url.href, drop: async () => dropDatabase(name) };
}

async function dropDatabase(name: string): Promise<void> {
  await asAdmin(async (admin) => {
    const leaks = await openConnections(admin, name);
    await admin.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
    if (leaks.length > 0) {
      throw new Error(`the test file left ${leaks.length} connection(s) open:\n${leaks.join('\n')}`);
    }
  });
}

/** The connections that stay, each with its application and last query. */
async function openConnections(admin: Client, name: string): Promise<string[]> {
  for (const deadline = Date.now() + FAREWELL_MILLISECONDS; ;) {
    const { rows } = await admin.query<{ application_name: string; state: string | null; query: string }>(
      `SELECT application_name, state, query FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend' ORDER BY backend_start`,
      [name],
    );
    if (rows.length === 0 || Date.now() > deadline) {
      return rows.map((row) => `  ${row.application_name || '(unnamed)'}, ${row.state ?? 'unknown'}: ${row.query}`);
    }
    await sleep(25);
  }
}

async function asAdmin(work: (admin: Client) => Promise<void>): Promise<void> {
  const admin = new Client({
    connectionString: fromGlobalSetup('KEYFERRY_TEST_SERVER_URL'),
    application_name: 'keyferry-test-admin',
  });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function fromGlobalSetup(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: test/global-setup.mjs did not run.`);
  return value;
}
