import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cwsProductId, g2aProductId } from '../../dist/sandbox/catalog.js';
import { openDatabase } from './database.mjs';
import { endOfLog, runProgram, startProgram } from './programs.mjs';

export const DIST = resolve(import.meta.dirname, '../../dist');

/** The marketplace that calls us. */
export const CLIENT = { id: 'bench-marketplace', secret: randomBytes(24).toString('hex') };
export const AUTHORIZATION = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`;

/**
 * A folder and a database of this run, and programs within.
 * @returns `start(name, file, options)` as startProgram, `endOfLog(name)` of a program, and `close()`, which ends everything.
 */
export async function openWorkplace() {
  const directory = mkdtempSync(join(tmpdir(), 'keyferry-bench-'));
  const closers = [async () => rmSync(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const logOf = (name) => join(directory, `${name}.log`);
  const start = async (name, file, options) => {
    const program = await startProgram(file, { cwd: directory, logFile: logOf(name), ...options });
    closers.push(program.stop);
    return program;
  };
  try {
    return {
      directory,
      database: await openDatabase(closers),
      start,
      close,
      endOfLog: (name) => endOfLog(logOf(name)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `{ port: 0 }` to `['--port', '0']`. */
export function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** A migrated database with games 1 to `products`, each with one supplier. */
export async function seedMappings(directory, databaseUrl, products) {
  const file = join(directory, 'mappings.json');
  const mappings = Array.from({ length: products }, (_, index) => ({
    g2aProductId: g2aProductId(index + 1),
    cwsProductIds: [cwsProductId(index + 1)],
  }));
  writeFileSync(file, JSON.stringify(mappings));
  const env = { DATABASE_URL: databaseUrl };
  await runProgram(join(DIST, 'cli.js'), { args: ['migrate'], env, cwd: directory });
  await runProgram(join(DIST, 'cli.js'), { args: ['seed', file], env, cwd: directory });
}

/** The program's whole environment; `variables` are added to it. */
export function appEnvironment({ databaseUrl, cwsUrl, g2aUrl, ...variables }) {
  return {
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    OUR_API_CLIENT_ID: CLIENT.id,
    OUR_API_CLIENT_SECRET: CLIENT.secret,
    ADMIN_USERNAME: 'bench-admin',
    ADMIN_PASSWORD: randomBytes(24).toString('hex'),
    CWS_API_BASE_URL: cwsUrl,
    CWS_CLIENT_ID: 'sandbox-client',
    CWS_CLIENT_SECRET: 'sandbox-secret',
    CWS_CLIENT_SIGNATURE: 'sandbox-signature',
    G2A_API_BASE_URL: g2aUrl,
    G2A_API_KEY: 'sandbox-client',
    G2A_API_SECRET: 'sandbox-secret',
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
    ...variables,
  };
}
