import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { cwsProductId, g2aProductId } from '../../dist/sandbox/catalog.js';
import { dataSourceOptions } from '../../dist/database/data-source-options.js';
import { exchange, postJson, readJson } from '../support/http.mjs';
import { appEnvironment, AUTHORIZATION, DIST, flags, openWorkplace, seedMappings } from '../support/stage.mjs';

/** Enough that a product has a few live reservations, as a shop's has, and not hundreds. */
export const PRODUCTS = 2000;
/** G2A is told of all products before anything is measured; at its real limit that would take minutes. */
const G2A_RATE = '60000/60s';
/** Most products in one call. */
const PRODUCTS_PER_CALL = 100;
const KEYS_PER_PRODUCT = 100_000;
/** CodesWholesale's answer time while nothing else is asked for. */
export const CWS_LATENCY_MS = 50;
const CWS_OPTIONS = {
  port: 0,
  products: PRODUCTS,
  'page-size': 500,
  'latency-ms': CWS_LATENCY_MS,
  balance: 100_000_000,
};
/** Until every product is known, fresh and published. */
const READY_LIMIT_MS = 180_000;

/** application_name of the program's own statements; pg-boss has another. */
export const APPLICATION_NAME = 'keyferry';
export const LIMIT_APPLICATION_NAME = 'bench-limit';

/** Everything that is measured, as processes: PostgreSQL, both simulated APIs with enough stock, and the program. */
export async function openStage({ profile, log }) {
  const { database, directory, start, close, endOfLog } = await openWorkplace();
  try {
    log('starting PostgreSQL, the simulated CodesWholesale and G2A, and the program');
    const [cws, g2a] = await Promise.all([
      start('cws', join(DIST, 'sandbox/cws.js'), { args: flags(CWS_OPTIONS) }),
      start('g2a', join(DIST, 'sandbox/g2a.js'), { args: flags({ port: 0, products: PRODUCTS, rate: G2A_RATE }) }),
    ]);
    await stockUp(cws.url);
    await seedMappings(directory, database.url, PRODUCTS);
    const app = await start('app', join(DIST, 'main.js'), {
      env: appEnvironment({ databaseUrl: database.url, cwsUrl: cws.url, g2aUrl: g2a.url, G2A_RATE }),
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
        behaveWell: () => exchange(cws.url, { method: 'DELETE', path: '/_sandbox/behaviors' }),
      },
      startLimit: (recipes) => startLimit(start, database.url, recipes),
      close,
    };
    await ready(stage).catch((error) => {
      throw new Error(`${error.message}\n${endOfLog('app')}`);
    });
    return stage;
  } catch (error) {
    await close();
    throw error;
  }
}

async function stockUp(cwsUrl) {
  const changes = Array.from({ length: PRODUCTS }, (_, index) => ({
    productId: cwsProductId(index + 1),
    quantity: KEYS_PER_PRODUCT,
  }));
  await postJson(cwsUrl, '/_sandbox/products', changes);
}

/** Waits until all products can be reserved, and G2A was told, has confirmed and said what sales leave: a first start is not measured. */
async function ready(stage) {
  const deadline = Date.now() + READY_LIMIT_MS;
  const headers = { authorization: AUTHORIZATION, 'content-type': 'application/json' };
  const everything = Array.from({ length: PRODUCTS }, (_, index) => ({
    product_id: g2aProductId(index + 1),
    quantity: 1,
  }));
  const parts = Array.from({ length: PRODUCTS / PRODUCTS_PER_CALL }, (_, part) =>
    everything.slice(part * PRODUCTS_PER_CALL, (part + 1) * PRODUCTS_PER_CALL),
  );
  const client = new pg.Client({ connectionString: stage.url });
  await client.connect();
  try {
    for (;;) {
      await sleep(500);
      const { rows } = await client.query(
        `SELECT (SELECT count(*) FROM offers WHERE observed_at IS NOT NULL AND sent_at IS NULL)::integer AS confirmed,
           (SELECT count(*) FROM price_simulations)::integer AS simulated`,
      );
      const { confirmed, simulated } = rows[0];
      if (confirmed >= PRODUCTS && simulated >= PRODUCTS) break;
      if (Date.now() > deadline) {
        throw new Error(
          `not ready in time: ${confirmed} offers confirmed, ${simulated} prices simulated of ${PRODUCTS}`,
        );
      }
    }
  } finally {
    await client.end();
  }
  const answers = await Promise.all(
    parts.map((part) =>
      exchange(stage.app.url, { method: 'POST', path: '/reservation', headers, body: JSON.stringify(part) }),
    ),
  );
  const refused = answers.find(({ status }) => status !== 200);
  if (refused !== undefined) throw new Error(`not ready: ${refused.status} ${refused.body}`);
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
