import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { cwsProductId, g2aProductId } from '../../dist/sandbox/catalog.js';
import { dataSourceOptions } from '../../dist/database/data-source-options.js';
import { openEmbeddedPostgres } from '../../dist/database/embedded/embedded-postgres.js';
import { exchange } from './load.mjs';
import { endOfLog, runProgram, startProgram } from './programs.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist');

/** Enough that a product has a few live reservations, as a shop's has, and not hundreds. */
export const PRODUCTS = 2000;
/** G2A is told of all products before anything is measured; at its real limit that would take minutes. */
const G2A_RATE = '60000/60s';
/** Most products in one call. */
const PRODUCTS_PER_CALL = 100;
const KEYS_PER_PRODUCT = 100_000;
/** CodesWholesale's answer time while nothing else is asked for. */
export const CWS_LATENCY_MS = 50;
/** Until every product is known, fresh and published. */
const READY_LIMIT_MS = 60_000;

/** application_name of the program's own statements; pg-boss has another. */
export const APPLICATION_NAME = 'keyferry';
export const LIMIT_APPLICATION_NAME = 'bench-limit';
export const CLIENT = { id: 'bench-marketplace', secret: randomBytes(24).toString('hex') };

/** Everything that is measured, as processes: PostgreSQL, both simulated APIs with enough stock, and the program. */
export async function openStage({ profile, log }) {
  const directory = mkdtempSync(join(tmpdir(), 'keyferry-bench-'));
  const closers = [async () => rmSync(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const start = async (name, file, options) => {
    const program = await startProgram(file, { cwd: directory, logFile: join(directory, `${name}.log`), ...options });
    closers.push(program.stop);
    return program;
  };
  try {
    log('starting PostgreSQL, the simulated CodesWholesale and G2A, and the program');
    const database = await openDatabase(closers);
    const [cws, g2a] = await Promise.all([
      start('cws', join(DIST, 'sandbox/cws.js'), { args: cwsArguments() }),
      start('g2a', join(DIST, 'sandbox/g2a.js'), {
        args: ['--port', '0', '--products', String(PRODUCTS), '--rate', G2A_RATE],
      }),
    ]);
    await stockUp(cws.url);
    await seed(directory, database.url);
    const app = await start('app', join(DIST, 'main.js'), {
      env: appEnvironment({ databaseUrl: database.url, cwsUrl: cws.url, g2aUrl: g2a.url }),
      execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
    });
    const stage = {
      app,
      ...database,
      cws: {
        url: cws.url,
        counters: () => readJson(cws.url, '/_sandbox/counters'),
        requests: () => readJson(cws.url, '/_sandbox/requests'),
        setLatency: (latencyMs) => postJson(cws.url, '/_sandbox/traffic', { latencyMs }),
        behave: (behavior) => postJson(cws.url, '/_sandbox/behaviors', behavior),
      },
      startLimit: (recipes) => startLimit(start, database.url, recipes),
      close,
    };
    await ready(stage, g2a.url).catch((error) => {
      throw new Error(`${error.message}\n${endOfLog(join(directory, 'app.log'))}`);
    });
    return stage;
  } catch (error) {
    await close();
    throw error;
  }
}

/** A database of its own on the benchmarks' embedded server, whose settings are PostgreSQL's own: every commit is on disk. */
async function openDatabase(closers) {
  const directory = join(ROOT, '.keyferry', 'bench');
  const server = await openEmbeddedPostgres({ directory, database: 'postgres' });
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
  return { url: url.href, admin, databaseName: name, logFile: join(directory, 'postgres.log') };
}

/** A run is alive as long as its connection of that name is open. */
async function dropDatabasesOfDeadRuns(admin) {
  const { rows } = await admin.query(
    `SELECT datname FROM pg_database
     WHERE starts_with(datname, 'bench_') AND datname NOT IN (SELECT application_name FROM pg_stat_activity)`,
  );
  for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
}

function cwsArguments() {
  const options = {
    port: 0,
    products: PRODUCTS,
    'page-size': 500,
    'latency-ms': CWS_LATENCY_MS,
    balance: 1_000_000_000,
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function stockUp(cwsUrl) {
  for (let number = 1; number <= PRODUCTS; number += 1) {
    await postJson(cwsUrl, `/_sandbox/products/${cwsProductId(number)}`, { quantity: KEYS_PER_PRODUCT });
  }
}

async function seed(directory, databaseUrl) {
  const file = join(directory, 'mappings.json');
  const mappings = Array.from({ length: PRODUCTS }, (_, index) => ({
    g2aProductId: g2aProductId(index + 1),
    cwsProductIds: [cwsProductId(index + 1)],
  }));
  writeFileSync(file, JSON.stringify(mappings));
  const env = { DATABASE_URL: databaseUrl };
  await runProgram(join(DIST, 'cli.js'), { args: ['migrate'], env, cwd: directory });
  await runProgram(join(DIST, 'cli.js'), { args: ['seed', file], env, cwd: directory });
}

function appEnvironment({ databaseUrl, cwsUrl, g2aUrl }) {
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
    G2A_RATE,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
  };
}

/** Waits until all products can be reserved and G2A has been told: the work of a first start is not measured. */
async function ready(stage, g2aUrl) {
  const deadline = Date.now() + READY_LIMIT_MS;
  const headers = { authorization: basic(), 'content-type': 'application/json' };
  const everything = Array.from({ length: PRODUCTS }, (_, index) => ({
    product_id: g2aProductId(index + 1),
    quantity: 1,
  }));
  const parts = Array.from({ length: PRODUCTS / PRODUCTS_PER_CALL }, (_, part) =>
    everything.slice(part * PRODUCTS_PER_CALL, (part + 1) * PRODUCTS_PER_CALL),
  );
  let published = 0;
  for (;;) {
    await sleep(500);
    const answers = await Promise.all(
      parts.map((part) =>
        exchange(stage.app.url, { method: 'POST', path: '/reservation', headers, body: JSON.stringify(part) }),
      ),
    );
    const before = published;
    const counters = await readJson(g2aUrl, '/_sandbox/counters');
    published = Object.entries(counters).find(([route]) => route.startsWith('PATCH'))?.[1].requests ?? 0;
    const refused = answers.find(({ status }) => status !== 200);
    if (refused === undefined && published >= PRODUCTS && published === before) return;
    if (Date.now() > deadline) {
      throw new Error(
        `not ready in time: ${published} offers published, ${refused?.status ?? 200} ${refused?.body ?? ''}`,
      );
    }
  }
}

async function startLimit(start, databaseUrl, recipes) {
  const { poolSize } = dataSourceOptions(databaseUrl, APPLICATION_NAME);
  const file = join(import.meta.dirname, 'limit-server.mjs');
  const limit = await start('limit', file, {
    args: [
      JSON.stringify({ databaseUrl, poolSize, applicationName: LIMIT_APPLICATION_NAME, lockedRows: PRODUCTS, recipes }),
    ],
  });
  return { ...limit, poolSize };
}

function basic() {
  return `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`;
}

async function readJson(url, path) {
  const { status, body } = await exchange(url, { method: 'GET', path, headers: {} });
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
  return JSON.parse(body);
}

async function postJson(url, path, value) {
  const headers = { 'content-type': 'application/json' };
  const { status, body } = await exchange(url, { method: 'POST', path, headers, body: JSON.stringify(value) });
  if (status >= 300) throw new Error(`POST ${path}: ${status} ${body}`);
}
