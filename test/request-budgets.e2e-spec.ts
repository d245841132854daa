import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { AppConfig } from '../src/config/app-config.js';
import { cwsClient } from '../src/cws/cws.module.js';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import type { RequestBudget, RequestRate } from '../src/upstream/request-budget.js';
import type { RequestPriority } from '../src/upstream/request-priority.rules.js';
import { sharedBudgets } from '../src/upstream/shared-budgets.js';
import { mapGames, startKeyferry } from './support/keyferry.js';
import { UpstreamError } from '../src/upstream/upstream-error.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

describe('request budgets in PostgreSQL', () => {
  let database: TestDatabase;
  let replicas: DataSource[];
  const budgets: RequestBudget[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    replicas = await Promise.all(
      ['one', 'other'].map((name) => new DataSource(dataSourceOptions(database.url, name)).initialize()),
    );
  });
  afterAll(async () => {
    for (const budget of budgets) budget.close();
    // What was asked last is still on its way.
    await sleep(50);
    await Promise.all(replicas.map((replica) => replica.destroy()));
    await database.drop();
  });

  /** A budget as the process of this replica would have it after a start. */
  const start = (replica: number, name: string, rate: RequestRate): RequestBudget => {
    const budget = sharedBudgets(replicas[replica]!)('cws', name, rate);
    budgets.push(budget);
    return budget;
  };
  const admitted = async (budget: RequestBudget, count: number, priority?: RequestPriority): Promise<number> => {
    const all = Array.from({ length: count }, () => budget.acquire({ priority, maxWaitMs: 0 }));
    return (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length;
  };
  const sql = (text: string, values: unknown[] = []): Promise<unknown> => replicas[0]!.query(text, values);

  it('hold over any window for two replicas that send all they can, while one of them crashes again and again', async () => {
    const rate = { requests: 60, windowSeconds: 1 };
    const times: number[] = [];
    const endsAtMs = performance.now() + 3_500;
    const send = async (budget: RequestBudget): Promise<void> => {
      while (performance.now() < endsAtMs) {
        const isAdmitted = await budget.acquire({ maxWaitMs: 500 }).then(
          () => true,
          () => false,
        );
        if (isAdmitted) times.push(performance.now());
        else await sleep(20);
      }
    };
    const crash = async (): Promise<void> => {
      while (performance.now() < endsAtMs) {
        const budget = start(1, 'crowd', rate);
        await Promise.race([Promise.all([send(budget), send(budget)]), sleep(700)]);
        budget.close();
      }
    };
    const steady = start(0, 'crowd', rate);
    await Promise.all([...Array.from({ length: 8 }, () => send(steady)), crash()]);

    const most = times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length);
    expect(Math.max(...most)).toBeLessThanOrEqual(60);
    // More than one window's worth went through: room comes back.
    expect(times.length).toBeGreaterThan(60);
  });

  it('wait for the end of a pause and no longer, also when requests count that were sent before it', async () => {
    const rate = { requests: 200, windowSeconds: 600 };
    const budget = start(0, 'short pause', rate);
    expect(await admitted(budget, 1)).toBe(1);
    budget.pauseFor(30);
    await sleep(50);
    // Another process knows of the pause from the ledger alone.
    const refusal = await start(1, 'short pause', rate)
      .acquire({ maxWaitMs: 0 })
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UpstreamError);
    expect((refusal as UpstreamError).retryAfterSeconds).toBeLessThanOrEqual(30);
  });

  it('give each request to one of many who ask at the same time', async () => {
    const rate = { requests: 200, windowSeconds: 600 };
    const counts = await Promise.all(
      Array.from({ length: 12 }, (_, index) => admitted(start(index % 2, 'crush', rate), 40)),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(200);
  });

  it('are not forgotten by a restart', async () => {
    const rate = { requests: 20, windowSeconds: 600 };
    expect(await admitted(start(0, 'restart', rate), 30)).toBe(20);
    const refusal = await start(1, 'restart', rate)
      .acquire({ maxWaitMs: 1_000 })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: 'retry_after' });
    const { retryAfterSeconds } = refusal as { retryAfterSeconds: number };
    expect(retryAfterSeconds).toBeGreaterThan(500);
    expect(retryAfterSeconds).toBeLessThanOrEqual(603);
    // Ten minutes later.
    await sql(
      `UPDATE request_leases SET counts_until = counts_until - interval '603 s' WHERE budget_name = 'cws restart'`,
    );
    expect(await admitted(start(1, 'restart', rate), 30)).toBe(20);
    expect(await sql(`SELECT sum(requests)::int FROM request_leases WHERE budget_name = 'cws restart'`)).toEqual([
      { sum: 20 },
    ]);
  });

  it('take back what a lease was not used for when it ends', async () => {
    const rate = { requests: 100, windowSeconds: 20 };
    const one = start(0, 'unused', rate);
    for (let request = 0; request < 4; request += 1) await one.acquire();
    const counting = async (): Promise<number> => {
      const rows = await sql(`SELECT sum(requests)::int FROM request_leases WHERE budget_name = 'cws unused'`);
      return (rows as { sum: number }[])[0]!.sum;
    };
    // The last lease was larger than what was left to ask: they grow with use.
    while ((await counting()) > 4) await sleep(50);
    expect(await counting()).toBe(4);
    expect(await admitted(start(1, 'unused', rate), 100)).toBe(96);
  });

  it('keep the last part of a limit for those that go first, whichever replica they are of', async () => {
    const rate = { requests: 50, windowSeconds: 600 };
    expect(await admitted(start(0, 'priorities', rate), 50, 'spare')).toBe(40);
    expect(await admitted(start(1, 'priorities', rate), 50, 'background')).toBe(5);
    expect(await admitted(start(0, 'priorities', rate), 50, 'urgent')).toBe(5);
  });

  it('pause every replica, also one that starts later', async () => {
    const rate = { requests: 50, windowSeconds: 600 };
    const other = start(1, 'pause', rate);
    start(0, 'pause', rate).pauseFor(120);
    const paused = (): Promise<unknown> =>
      sql(`SELECT FROM request_budgets WHERE name = 'cws pause' AND paused_until > clock_timestamp()`);
    while (((await paused()) as unknown[]).length === 0) await sleep(10);
    for (const budget of [other, start(0, 'pause', rate)]) {
      const refusal = await budget.acquire({ priority: 'urgent', maxWaitMs: 5_000 }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ kind: 'retry_after', retryAfterSeconds: 120 });
    }
    await sql(
      `UPDATE request_budgets SET paused_until = clock_timestamp() + interval '0.2 s' WHERE name = 'cws pause'`,
    );
    await expect(start(1, 'pause', rate).acquire({ maxWaitMs: 5_000 })).resolves.toBeUndefined();
  });
});

describe('the limit of single products at CWS', () => {
  it('is what a reservation of one product uses: the list only without room there, and a 429 pauses it for all', async () => {
    const keyferry = await startKeyferry({
      environment: { RESERVATION_STOCK_MAX_AGE_SECONDS: '10', CWS_PRODUCTS_RATE: '40/600s' },
    });
    try {
      await keyferry.sql(
        `WITH mapping AS (INSERT INTO product_mappings (g2a_product_id) SELECT unnest($1::bigint[]))
         INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id)
         SELECT * FROM unnest($1::bigint[], $2::uuid[])`,
        [[1, 2].map(g2aProductId), [1, 2].map(cwsProductId)],
      );
      const asked = (): string[] =>
        keyferry.cws.traffic
          .requests()
          .map(({ route }) => route)
          .filter((route) => route.startsWith('GET /v3/products'));
      const reserve = (game: number): Promise<unknown> =>
        keyferry.customer.reserve([{ productId: g2aProductId(game), quantity: 1 }]);

      keyferry.cws.traffic.forget();
      keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: 'GET /v3/products/:productId', times: 1 });
      expect(await reserve(1)).toMatchObject({ ok: true });
      expect(asked()).toEqual(['GET /v3/products/:productId', 'GET /v3/products']);
      expect(
        await keyferry.sql(`SELECT name FROM request_budgets WHERE paused_until > clock_timestamp() - interval '1 s'`),
      ).toEqual([{ name: 'cws single product' }]);

      // A limit that others have used up is not even tried.
      await keyferry.sql(
        `UPDATE request_budgets SET paused_until = NULL;
         INSERT INTO request_leases (budget_name, requests, counts_until)
         VALUES ('cws single product', 600, clock_timestamp() + interval '10 minutes')`,
      );
      keyferry.cws.traffic.forget();
      expect(await reserve(2)).toMatchObject({ ok: true });
      expect(asked()).toEqual(['GET /v3/products']);
    } finally {
      await keyferry.stop();
    }
  });
});

describe('the limit of tokens at CWS', () => {
  it('is shared by all replicas: one that starts where it is used up asks for none', async () => {
    const keyferry = await startKeyferry();
    try {
      const tokens = () => keyferry.cws.traffic.counters()['POST /oauth/token']?.requests ?? 0;
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      expect(tokens()).toBe(1);
      expect(
        await keyferry.sql(`SELECT sum(requests)::int FROM request_leases WHERE budget_name = 'cws token'`),
      ).toEqual([{ sum: 1 }]);
      await keyferry.sql(
        `INSERT INTO request_leases (budget_name, requests, counts_until)
         VALUES ('cws token', 50, clock_timestamp() + interval '5 minutes')`,
      );
      const other = cwsClient(keyferry.app.get(AppConfig), { budgetOf: sharedBudgets(keyferry.app.get(DataSource)) });
      await expect(other.account()).rejects.toMatchObject({ kind: 'retry_after' });
      other.close();
      expect(tokens()).toBe(1);
    } finally {
      await keyferry.stop();
    }
  });
});
