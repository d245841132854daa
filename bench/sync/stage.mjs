import { join } from 'node:path';
import { exchange, postJson, readJson } from '../support/http.mjs';
import { databaseServerMs, IS_MEASURABLE, memoryOf, processorMs } from '../support/processes.mjs';
import { appEnvironment, DIST, flags, openWorkplace, seedMappings } from '../support/stage.mjs';
import { Arrivals } from './arrivals.mjs';
import { firstState } from './games.mjs';
import { REAL_LIMITS, scaled } from './limits.mjs';

export const LATENCY_MS = 100;
/** The program's default. */
export const SYNC_INTERVAL_SECONDS = 5;
/** Less than the 15 % that the program reckons with, so that G2A's own figures never make it change a price. */
const FEE_PERCENT = 14;
const BALANCE = 100_000_000;
const CHANGES_PER_CALL = 10_000;

/** PostgreSQL, both simulated APIs with all games for sale, and mappings for all of them; the program is started by `startApp`. */
export async function openStage({ products, factor, pageSize }) {
  const { database, directory, start, close, endOfLog } = await openWorkplace();
  const limits = Object.fromEntries(Object.entries(REAL_LIMITS).map(([name, limit]) => [name, scaled(limit, factor)]));
  try {
    const [cws, g2a] = await Promise.all([
      start('cws', join(DIST, 'sandbox/cws.js'), {
        args: flags({
          port: 0,
          products,
          balance: BALANCE,
          'page-size': pageSize,
          'latency-ms': LATENCY_MS,
          'products-rate': limits.cwsProducts,
          'product-rate': limits.cwsProduct,
        }),
      }),
      start('g2a', join(DIST, 'sandbox/g2a.js'), {
        args: flags({
          port: 0,
          products,
          rate: limits.g2a,
          'latency-ms': LATENCY_MS,
          'fee-percent': FEE_PERCENT,
        }),
      }),
    ]);
    const stage = new Stage({ products, factor, limits, database, cws, g2a, close });
    await stage.changeSilently(firstState(products));
    await seedMappings(directory, database.url, products);
    const env = appEnvironment({
      databaseUrl: database.url,
      cwsUrl: cws.url,
      g2aUrl: g2a.url,
      CWS_PRODUCTS_RATE: limits.cwsProducts,
      CWS_PRODUCT_RATE: limits.cwsProduct,
      G2A_RATE: limits.g2a,
      SYNC_INTERVAL_SECONDS: String(SYNC_INTERVAL_SECONDS),
    });
    stage.startApp = async () => {
      stage.app = await start('app', join(DIST, 'main.js'), { env });
    };
    stage.endOfLog = () => endOfLog('app');
    return stage;
  } catch (error) {
    await close();
    throw error;
  }
}

class Stage {
  app = null;

  constructor({ products, factor, limits, database, cws, g2a, close }) {
    Object.assign(this, { products, factor, limits, database, cws, g2a, close });
    this.arrivals = new Arrivals(g2a.url);
  }

  /** Changes at CodesWholesale, of which its feed tells. */
  async change(changes) {
    for (let from = 0; from < changes.length; from += CHANGES_PER_CALL) {
      await postJson(this.cws.url, '/_sandbox/products', changes.slice(from, from + CHANGES_PER_CALL));
    }
  }

  async changeSilently(changes) {
    await this.letFeedLie();
    await this.change(changes);
    const { status } = await exchange(this.cws.url, { method: 'DELETE', path: '/_sandbox/behaviors', headers: {} });
    if (status >= 300) throw new Error(`DELETE /_sandbox/behaviors: ${status}`);
  }

  /** From now on CodesWholesale's feed is silent about changes. */
  async letFeedLie() {
    await postJson(this.cws.url, '/_sandbox/behaviors', { name: 'feedHidesChanges' });
  }

  /** Requests so far, by what they count against, and how many were answered 429. */
  async requests() {
    const [cws, g2a] = await Promise.all(
      [this.cws, this.g2a].map(async ({ url }) => Object.entries(await readJson(url, '/_sandbox/counters'))),
    );
    const sum = (entries, field, isMeant = () => true) =>
      entries.reduce((total, [route, count]) => total + (isMeant(route) ? count[field] : 0), 0);
    const isToken = (route) => route === 'POST /oauth/token';
    return {
      cws: sum(cws, 'requests'),
      cwsProducts: sum(cws, 'requests', (route) => route === 'GET /v3/products'),
      g2a: sum(g2a, 'requests', (route) => !isToken(route)),
      patches: sum(g2a, 'requests', (route) => route.startsWith('PATCH')),
      refused: sum([...cws, ...g2a], 'limited'),
    };
  }

  /** How often the feed was read from its start between two times. */
  async feedPasses(fromMs, toMs) {
    const log = await readJson(this.cws.url, '/_sandbox/requests');
    return log.filter(
      ({ atMs, query }) =>
        atMs >= fromMs && atMs < toMs && query.updatedSince !== undefined && query.continuationToken === undefined,
    ).length;
  }

  /** Processor time so far of the program, and of PostgreSQL with all its processes; null where it cannot be told. */
  async processorMs() {
    if (!IS_MEASURABLE) return null;
    const { rows } = await this.database.admin.query('SELECT pg_backend_pid() AS pid');
    return { program: this.app === null ? 0 : processorMs(this.app.pid), database: databaseServerMs(rows[0].pid) };
  }

  /** Resident memory of the program; null where it cannot be told. */
  memory() {
    return IS_MEASURABLE ? memoryOf(this.app.pid) : null;
  }
}
