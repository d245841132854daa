import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { FeedService } from '../src/sync/feed.service.js';
import { SweepService } from '../src/sync/sweep.service.js';
import { type SweepQuestion, sweepTargets } from '../src/sync/sweep.queries.js';
import { SWEEP_BATCH, SweepPace, sweepPlan } from '../src/sync/sweep.rules.js';
import { UpstreamError } from '../src/upstream/upstream-error.js';
import { DataSource, type EntityManager } from 'typeorm';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

/** A mapped catalog in which nothing is hot: plenty of stock, changed long ago, asked for one after the other, 1 first. */
async function fillCatalog(keyferry: Keyferry, products: number): Promise<void> {
  await mapGames(
    keyferry,
    Array.from({ length: products }, (_, index) => index + 1),
  );
  await keyferry.sql(`UPDATE product_mapping_suppliers SET mapped_at = now() - interval '10 days'`);
  await keyferry.sql(
    `INSERT INTO supplier_products (cws_product_id, name, quantity, price_bands, requested_at, changed_at)
     SELECT cws_product_id, '', 500, '[]', now() - interval '100 seconds' + number * interval '1 millisecond',
       now() - interval '1 day'
     FROM (SELECT cws_product_id, row_number() OVER (ORDER BY g2a_product_id) AS number
       FROM product_mapping_suppliers) mapped`,
  );
}

describe('the sweep', () => {
  let keyferry: Keyferry;
  let manager: EntityManager;

  beforeAll(async () => {
    keyferry = await startKeyferry();
    manager = keyferry.app.get(DataSource).manager;
    await fillCatalog(keyferry, 40);
  });
  afterAll(() => keyferry.stop());

  const question: SweepQuestion = {
    confirmAfterSeconds: 5,
    hotAfterSeconds: 12,
    restAfterSeconds: 60,
    hotProducts: 4,
    lowStock: 10,
    cycleStartedAt: null,
    except: [],
    limit: 100,
  };
  const numberOf = (id: string): number => Number(id.slice(-12));
  const targets = async (changes: Partial<SweepQuestion> = {}) => {
    const { urgent, hot, rest, isCycleComplete } = await sweepTargets(manager, { ...question, ...changes });
    return { urgent: urgent.map(numberOf), due: [...hot, ...rest].map(numberOf), isCycleComplete };
  };
  const change = (game: number, assignment: string): Promise<unknown> =>
    keyferry.sql(`UPDATE supplier_products SET ${assignment} WHERE cws_product_id = $1`, [cwsProductId(game)]);

  it('asks for what nobody asked about for longest', async () => {
    const { urgent, due } = await targets();
    expect(urgent).toEqual([]);
    expect(due).toEqual(Array.from({ length: 40 }, (_, index) => numberOf(cwsProductId(index + 1))));
    expect((await targets({ restAfterSeconds: 110 })).due).toEqual([]);
  });

  it('asks first, and sooner, for what is sold or reserved, then for what changes, then for what is nearly sold out', async () => {
    await change(11, 'quantity = 3');
    await change(12, 'quantity = 0');
    await change(13, `changed_at = now() - interval '5 minutes'`);
    await change(14, `changed_at = now() - interval '1 minute', quantity = 9`);
    await keyferry.sql(
      `INSERT INTO stock_holds (cws_product_id, reservation_item_id, quantity, state, expires_at)
       VALUES ($1, gen_random_uuid(), 1, 'reserved', now() + interval '1 minute')`,
      [cwsProductId(15)],
    );
    // Released half an hour ago: the hold is gone, the interest is not.
    await keyferry.sql(
      `WITH reservation AS (
         INSERT INTO reservations (id, state, expires_at) VALUES (gen_random_uuid(), 'released', now()) RETURNING id
       )
       INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents)
       SELECT gen_random_uuid(), id, $1, 1, 100, 80 FROM reservation`,
      [g2aProductId(16)],
    );
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '20 seconds'`);
    const wanted = async (hotProducts: number) => (await targets({ hotProducts })).due.sort((a, b) => a - b);
    const numbers = (...games: number[]) => games.map((game) => numberOf(cwsProductId(game)));
    // Everything is 20 s old: only what is hot is due.
    expect(await wanted(2)).toEqual(numbers(15, 16));
    expect(await wanted(3)).toEqual(numbers(14, 15, 16));
    expect(await wanted(4)).toEqual(numbers(13, 14, 15, 16));
    expect(await wanted(9)).toEqual(numbers(11, 13, 14, 15, 16));
    expect(await targets({ hotAfterSeconds: 30 })).toMatchObject({ due: [] });

    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '2 minutes'`);
    await change(20, `requested_at = now() - interval '1 day'`);
    expect((await targets()).due.slice(0, 5)).toEqual(numbers(13, 14, 15, 16, 20));
  });

  it('does not count a product as hot that is not sold', async () => {
    await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(15)]);
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '20 seconds'`);
    expect((await targets()).due).not.toContain(numberOf(cwsProductId(15)));
  });

  it('asks before all others for prices to confirm and for what was not seen since it was mapped', async () => {
    await change(
      30,
      `unconfirmed_price_bands = '[]', unconfirmed_since = now() - interval '6 seconds', unconfirmed_reason = 'price_changed'`,
    );
    await change(31, `requested_at = now() - interval '11 days'`);
    expect((await targets()).urgent).toEqual([numberOf(cwsProductId(30)), numberOf(cwsProductId(31))]);
  });

  it('knows when it has asked for everything once', async () => {
    await keyferry.sql(
      'UPDATE supplier_products SET requested_at = now(), unconfirmed_price_bands = NULL, unconfirmed_since = NULL, unconfirmed_reason = NULL',
    );
    const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);
    expect(await targets({ cycleStartedAt: secondsAgo(10) })).toMatchObject({ isCycleComplete: true });
    await change(7, `requested_at = now() - interval '20 seconds'`);
    expect(await targets({ cycleStartedAt: secondsAgo(10) })).toMatchObject({ isCycleComplete: false });
    expect(await targets({ cycleStartedAt: secondsAgo(10), except: [cwsProductId(7)] })).toMatchObject({
      isCycleComplete: true,
    });
  });

  it('measures how long that took though an answer of CWS was an error, and not the time of the trouble', async () => {
    const sweeper = keyferry.app.get(SweepService);
    const allOld = () => keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '5 minutes'`);
    const cycle = async () => (await keyferry.sql('SELECT sweep_cycle_seconds AS cycle FROM sync_cursors'))[0].cycle;
    // Whatever cycle is open ends here.
    await allOld();
    for (let turn = 0; turn < 2; turn += 1) await sweeper.sweep();
    await keyferry.sql('UPDATE sync_cursors SET sweep_cycle_seconds = NULL');
    await allOld();
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products' });
    await expect(sweeper.sweep()).rejects.toThrow(UpstreamError);
    await sleep(500);
    keyferry.cws.traffic.behaviors.clear({});
    expect(await cycle()).toBeNull();
    for (let turn = 0; turn < 2; turn += 1) await sweeper.sweep();
    expect(await cycle()).toBeGreaterThan(0);
    expect(await cycle()).toBeLessThan(0.5);
  });

  it('goes on when CWS answers with something that has no id, and does not take the others for gone', async () => {
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '5 minutes'`);
    keyferry.cws.traffic.behaviors.set({ name: 'malformedProduct', subject: cwsProductId(8) });
    await keyferry.app.get(SweepService).sweep();
    keyferry.cws.traffic.behaviors.clear({});
    const gone = await keyferry.sql('SELECT cws_product_id AS id FROM supplier_products WHERE is_gone');
    expect(gone).toEqual([{ id: cwsProductId(8) }]);
    expect(
      await keyferry.sql(`SELECT 1 FROM supplier_products WHERE requested_at < now() - interval '1 minute'`),
    ).toEqual([]);
  });
});

const INTERVAL_SECONDS = 5;

describe('the sweep of a CWS with troublesome products', () => {
  let keyferry: Keyferry;
  const sweeper = (): SweepService => keyferry.app.get(SweepService);
  const letPass = () => keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '5 minutes'`);
  const open = async (): Promise<string[]> =>
    (
      await keyferry.sql(
        `SELECT subject FROM alerts WHERE kind = 'supplier_product_unreadable' AND cleared_at IS NULL ORDER BY 1`,
      )
    ).map(({ subject }: { subject: string }) => subject);
  const sweep = async (): Promise<void> => {
    await letPass();
    await sweeper().sweep();
    // A cycle ends with the look at what to ask next.
    await sweeper().sweep();
  };
  const questions = (): string[][] =>
    keyferry.cws.traffic.requests().flatMap(({ query: { productIds } }) => (productIds ? [productIds.split(',')] : []));

  beforeAll(async () => {
    // Its pace is the matter of other tests.
    const environment = { CWS_PRODUCTS_RATE: '4000/600s' };
    keyferry = await startKeyferry({ cws: { products: 12, limits: { products: null } }, environment });
    await mapGames(keyferry, [1, 2]);
  });
  afterAll(() => keyferry.stop());

  it('closes the alert about one that cannot be read when a whole cycle finds it readable, or mapped no more', async () => {
    await sweep();
    const alerts = keyferry.app.get(AlertsService);
    // Without an id, and of a product whose mapping was deleted.
    for (const subject of ['', cwsProductId(3)]) {
      await alerts.raise('supplier_product_unreadable', subject, 'quantity is no number');
    }
    keyferry.cws.traffic.behaviors.set({ name: 'malformedProduct', subject: cwsProductId(1) });
    await sweep();
    await sweep();
    expect(await open()).toEqual([cwsProductId(1)]);
    // All of a batch: the alert without an id is another one.
    keyferry.cws.traffic.behaviors.set({ name: 'malformedProduct', subject: cwsProductId(2) });
    await alerts.raise('supplier_product_unreadable', '', 'items[0] is no object');
    await letPass();
    await sweeper().sweep();
    expect(await open()).toEqual(['', cwsProductId(1), cwsProductId(2)]);
    keyferry.cws.traffic.behaviors.clear({});
    await sweep();
    await sweep();
    expect(await open()).toEqual([]);
  });

  it('writes of what has not changed only when it was asked about: nothing is priced for that, or judged anew', async () => {
    await sweep();
    await letPass();
    await keyferry.sql('DELETE FROM repricings');
    const known = () =>
      keyferry.sql(
        `SELECT to_jsonb(product) - 'requested_at' AS known, requested_at > now() - interval '1 minute' AS "isRecent"
         FROM supplier_products product ORDER BY cws_product_id`,
      );
    const before = await known();
    await sweeper().sweep();
    expect(await known()).toEqual(
      before.map(({ known: same }: { known: object }) => ({ known: same, isRecent: true })),
    );
    expect(await keyferry.sql('SELECT 1 FROM repricings')).toEqual([]);
  });

  it('goes on with all others when CWS refuses every question that names one of them, and tells which', async () => {
    await mapGames(keyferry, [4, 5, 6, 7, 8, 9, 10]);
    const bad = cwsProductId(6);
    keyferry.cws.traffic.behaviors.set({ name: 'refusesProduct', subject: bad });
    await sweeper().sweep();
    expect(await keyferry.sql('SELECT cws_product_id AS id FROM supplier_products WHERE is_gone')).toEqual([
      { id: bad },
    ]);
    expect(
      await keyferry.sql(`SELECT count(*) FROM supplier_products WHERE requested_at > now() - interval '1 minute'`),
    ).toEqual([{ count: 9 }]);
    expect(await open()).toEqual([bad]);

    // From then on it spoils no question of others.
    await sweeper().sweep();
    keyferry.cws.traffic.forget();
    await sweep();
    expect(questions().filter((ids) => ids.includes(bad))).toEqual([[bad]]);
    expect(await open()).toEqual([bad]);

    keyferry.cws.traffic.behaviors.clear({});
    await sweep();
    await sweep();
    expect(await keyferry.sql('SELECT 1 FROM supplier_products WHERE is_gone')).toEqual([]);
    expect(await open()).toEqual([]);
  });

  it('holds it against no product when CWS refuses everything', async () => {
    await letPass();
    keyferry.cws.traffic.behaviors.set({ name: 'refusesProduct' });
    for (let turn = 0; turn < 3; turn += 1) await expect(sweeper().sweep()).rejects.toThrow(UpstreamError);
    keyferry.cws.traffic.behaviors.clear({});
    expect(await keyferry.sql('SELECT 1 FROM supplier_products WHERE is_gone')).toEqual([]);
    expect(await open()).toEqual([]);
    await sweep();
    expect(
      await keyferry.sql(`SELECT 1 FROM supplier_products WHERE requested_at < now() - interval '1 minute'`),
    ).toEqual([]);
  });
});

describe('the sweep of a large catalog while the feed is unreliable', () => {
  it('sees every hot one every 15 s at CWS’s real limit, and the rest in its turn; of that limit it leaves a fifth', async () => {
    // 20 in 4 s, as far as the program knows and as CWS counts, for the last part.
    const keyferry = await startKeyferry({
      cws: { products: 1, limits: { products: { requests: 20, perSeconds: 4 } } },
      g2a: { products: 1 },
      environment: { CWS_PRODUCTS_RATE: '20/4s' },
    });
    try {
      await fillCatalog(keyferry, 4000);
      const { manager } = keyferry.app.get(DataSource);
      const plan = sweepPlan({ requests: 400, windowSeconds: 600 }, true);
      const pace = new SweepPace();
      // As many as fit are hot, far from each other in the order of age.
      await keyferry.sql(
        `UPDATE supplier_products SET quantity = 2
         WHERE cws_product_id IN (SELECT cws_product_id FROM supplier_products ORDER BY md5(cws_product_id::text) LIMIT $1)`,
        [plan.hotProducts],
      );
      const hot = new Set<string>(
        (await keyferry.sql('SELECT cws_product_id AS id FROM supplier_products WHERE quantity = 2')).map(
          ({ id }: { id: string }) => id,
        ),
      );
      const ticks = 12;
      const lastSeen = new Map<string, number>();
      const gaps: number[] = [];
      let restSeen = 0;
      for (let tick = 0; tick < ticks; tick += 1) {
        const { hot: hotDue, rest } = await sweepTargets(manager, {
          ...plan,
          confirmAfterSeconds: 5,
          lowStock: 10,
          cycleStartedAt: null,
          except: [],
          limit: 100 * SWEEP_BATCH,
        });
        const due = [...hotDue, ...rest];
        const asked: string[] = [];
        const isHotLeft = () => asked.length < hotDue.length;
        while (
          asked.length < due.length &&
          pace.tryTake(tick * INTERVAL_SECONDS * 1000, plan, isHotLeft() ? 'hot' : 'rest')
        ) {
          asked.push(...due.slice(asked.length, asked.length + SWEEP_BATCH));
        }
        for (const id of asked) {
          if (!hot.has(id)) restSeen += 1;
          else if (lastSeen.has(id)) gaps.push((tick - lastSeen.get(id)!) * INTERVAL_SECONDS);
          lastSeen.set(id, tick);
        }
        await keyferry.sql(
          `UPDATE supplier_products SET requested_at =
             CASE WHEN cws_product_id = ANY ($1) THEN now() ELSE requested_at END - $2 * interval '1 second'`,
          [asked, INTERVAL_SECONDS],
        );
      }
      const wentBy = ticks * INTERVAL_SECONDS;
      expect([...hot].filter((id) => !lastSeen.has(id))).toEqual([]);
      expect(gaps.length).toBeGreaterThanOrEqual(hot.size * 2);
      // A second or two for the answer and the way to G2A are left.
      expect(Math.max(...gaps)).toBeLessThanOrEqual(15);
      expect(restSeen).toBeGreaterThan(wentBy * plan.batchesPerSecond * SWEEP_BATCH * 0.4);

      await usesFourFifths(keyferry);
    } finally {
      await keyferry.stop();
    }
  });
});

/** The sweep takes all that it may of 20 requests in 4 s, and whoever goes before it finds room. */
async function usesFourFifths(keyferry: Keyferry): Promise<void> {
  const sweeper = keyferry.app.get(SweepService);
  const feed = keyferry.app.get(FeedService);
  await feed.readFeed();
  await keyferry.sql(
    `UPDATE sync_cursors SET unreliable_since = now(), pass_started_at = pass_started_at - interval '31 seconds'`,
  );
  await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '5 minutes'`);
  keyferry.cws.traffic.forget();
  const asked = (): number[] => keyferry.cws.traffic.requests().map(({ atMs }) => atMs);
  // Nothing of what it could take is left to take now.
  for (let isUsedUp = false; !isUsedUp;) {
    isUsedUp = await sweeper.sweep().then(
      () => false,
      (error: unknown) => error instanceof UpstreamError && error.kind === 'retry_after',
    );
  }
  // 16, less what a slow machine lets run out of its leases unused.
  expect(asked().length).toBeGreaterThanOrEqual(12);
  expect(await feed.readFeed()).toBe(true);
  const times = asked();
  const inWindow = times.map((from) => times.filter((atMs) => atMs >= from && atMs < from + 4000).length);
  expect(Math.max(...inWindow)).toBeLessThanOrEqual(17);
  expect(keyferry.cws.traffic.counters()['GET /v3/products']).toMatchObject({ limited: 0 });
}
