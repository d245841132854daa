import { Global, Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Counter } from 'prom-client';
import { AppConfigModule } from '../config/config.module.js';
import { basic, configWith } from '../http-auth/spec-support/admin-environment.js';
import { type Answer, listen, type ListeningApp } from '../http-auth/spec-support/listening-app.js';
import { UPSTREAM_OBSERVER, type UpstreamObserver } from '../upstream/upstream-observer.js';
import { METRIC_PREFIX, Metrics } from './metrics.js';
import { ObservabilityModule } from './observability.module.js';
import { ReadinessService } from './readiness.service.js';

/** What the database answers; the real one is in test/observability.e2e-spec.ts. */
let query: (sql: string) => Promise<unknown>;

@Global()
@Module({
  providers: [{ provide: getDataSourceToken(), useValue: { query: (sql: string) => query(sql) } }],
  exports: [getDataSourceToken()],
})
class DatabaseStandIn {}

let server: ListeningApp;

async function start(variables: Record<string, string> = {}): Promise<void> {
  server = await listen({
    imports: [AppConfigModule.forRoot(configWith(variables)), DatabaseStandIn, ObservabilityModule],
  });
}

function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return server.request('GET', path, headers);
}

beforeEach(() => {
  query = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.5:5432'));
});

afterEach(async () => {
  await server.app.close();
});

describe('/livez', () => {
  it('answers although the database does not', async () => {
    await start();
    const answer = await get('/livez');
    expect([answer.status, answer.json()]).toEqual([200, { status: 'ok' }]);
  });
});

describe('/readyz', () => {
  it('is ready when the database answers and has been migrated', async () => {
    query = () => Promise.resolve([{ isMigrated: true }]);
    await start();
    const answer = await get('/readyz');
    expect([answer.status, answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('names the database, and nothing else about it, when it refuses', async () => {
    await start();
    const answer = await get('/readyz');
    expect([answer.status, answer.json()]).toEqual([503, { status: 'unavailable', failedCheck: 'database' }]);
  });

  it('names the database when it does not answer in time', async () => {
    query = () => new Promise(() => undefined);
    await start();
    const answer = await get('/readyz');
    expect([answer.status, answer.json()]).toEqual([503, { status: 'unavailable', failedCheck: 'database' }]);
  });

  it('names the migrations when there are none', async () => {
    query = () => Promise.resolve([{ isMigrated: false }]);
    await start();
    const answer = await get('/readyz');
    expect([answer.status, answer.json()]).toEqual([503, { status: 'unavailable', failedCheck: 'migrations' }]);
  });

  it('is no longer ready once the shutdown was announced', async () => {
    query = () => Promise.resolve([{ isMigrated: true }]);
    await start();
    server.app.get(ReadinessService).announceShutdown();
    const answer = await get('/readyz');
    expect([answer.status, answer.json()]).toEqual([503, { status: 'unavailable', failedCheck: 'shutting_down' }]);
  });
});

describe('/metrics', () => {
  it('shows the process, and no value of the database while that does not answer', async () => {
    await start();
    const answer = await get('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.text).toMatch(/^keyferry_process_cpu_seconds_total /m);
    expect(answer.text).not.toMatch(/^keyferry_(orders|offers|open_alerts|oldest_unfinished|feed_age)/m);
  });

  it('shows what the clients of CWS and G2A observe', async () => {
    await start();
    const observer = server.app.get<UpstreamObserver>(UPSTREAM_OBSERVER);
    observer({ system: 'cws', operation: 'placeOrder', outcome: 'unknown', seconds: 0.3 });
    const { text } = await get('/metrics');
    const labels = 'system="cws",operation="placeOrder",outcome="unknown"';
    expect(text).toContain(`keyferry_upstream_requests_seconds_count{${labels}} 1`);
    expect(text).toContain(`keyferry_upstream_requests_seconds_sum{${labels}} 0.3`);
  });

  it('shows the metrics of other modules, brought up to date by each scrape', async () => {
    await start();
    const metrics = server.app.get(Metrics);
    const scrapes = new Counter({ name: `${METRIC_PREFIX}scrapes_total`, help: '.', registers: [metrics.registry] });
    metrics.onScrape(() => {
      scrapes.inc();
      return Promise.resolve();
    });
    await get('/metrics');
    expect((await get('/metrics')).text).toContain('keyferry_scrapes_total 2');
  });

  describe('in production', () => {
    const PRODUCTION = { NODE_ENV: 'production', DATABASE_URL: 'postgres://keyferry@db/keyferry' };

    it('does not exist without an admin password', async () => {
      await start(PRODUCTION);
      const answer = await get('/metrics', basic('admin', ''));
      expect([answer.status, answer.json()]).toEqual([404, { code: 'route_not_found', message: expect.any(String) }]);
    });

    it('needs the admin credentials', async () => {
      await start({ ...PRODUCTION, ADMIN_PASSWORD: 'se:cret' });
      const refused = await get('/metrics', basic('admin', 'wrong'));
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect((await get('/metrics', basic('admin', 'se:cret'))).status).toBe(200);
    });

    it('leaves /livez and /readyz open', async () => {
      await start({ ...PRODUCTION, ADMIN_PASSWORD: 'secret' });
      expect((await get('/livez')).status).toBe(200);
      expect((await get('/readyz')).status).toBe(503);
    });
  });
});
