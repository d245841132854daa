import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { FeedService } from '../src/sync/feed.service.js';
import { SweepService } from '../src/sync/sweep.service.js';
import { UpstreamError } from '../src/upstream/upstream-error.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8];

/** Lets this time pass for what we know of CWS, its last answers included. */
async function letPass(keyferry: Keyferry, interval: string): Promise<void> {
  await keyferry.sql(
    `UPDATE supplier_products SET requested_at = requested_at - $1::interval, changed_at = changed_at - $1::interval`,
    [interval],
  );
  await keyferry.sql('UPDATE product_mapping_suppliers SET mapped_at = mapped_at - $1::interval', [interval]);
  await keyferry.sql(
    `UPDATE sync_cursors SET pass_started_at = pass_started_at - $1::interval,
       unreliable_since = unreliable_since - $1::interval`,
    [interval],
  );
  await keyferry.sql(
    'UPDATE unannounced_changes SET found_at = found_at - $1::interval, judged_at = judged_at - $1::interval',
    [interval],
  );
}

async function quantity(keyferry: Keyferry, game: number): Promise<number> {
  const [row] = await keyferry.sql('SELECT quantity FROM supplier_products WHERE cws_product_id = $1', [
    cwsProductId(game),
  ]);
  return row.quantity;
}

describe('the feed', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 20, pageSize: 3 } });
    await mapGames(keyferry, GAMES);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  const feed = (): FeedService => keyferry.app.get(FeedService);
  const position = async (): Promise<unknown> => keyferry.sql('SELECT position, pass_started_at FROM sync_cursors');

  it('brings all pages of what changed, and leaves what is not mapped', async () => {
    for (const game of [...GAMES, 9]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 100 + game });
    await feed().readFeed();
    for (const game of GAMES) expect(await quantity(keyferry, game)).toBe(100 + game);
    expect(await keyferry.sql('SELECT 1 FROM supplier_products WHERE cws_product_id = $1', [cwsProductId(9)])).toEqual(
      [],
    );
  });

  it('moves its cursor in one transaction with the last page: neither is stored without the other', async () => {
    await keyferry.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$`);
    await keyferry.sql('CREATE TRIGGER refuse BEFORE UPDATE ON sync_cursors FOR EACH ROW EXECUTE FUNCTION refuse()');
    const before = await position();
    for (const game of GAMES) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 200 + game });
    await expect(feed().readFeed()).rejects.toThrow('refused');
    expect(await position()).toEqual(before);
    // With 3 products a page, 1 to 6 came with the first two; 9 is changed still.
    expect(await quantity(keyferry, 6)).toBe(206);
    expect(await quantity(keyferry, 8)).toBe(108);

    await keyferry.sql('DROP TRIGGER refuse ON sync_cursors');
    await feed().readFeed();
    expect(await position()).not.toEqual(before);
    expect(await quantity(keyferry, 8)).toBe(208);
  });

  /** What happens as soon as CWS has given its next page. */
  const afterNextPage = (happens: () => void): void => {
    const { supplier } = keyferry.cws;
    const page = supplier.page.bind(supplier);
    jest.spyOn(supplier, 'page').mockImplementationOnce((...question) => {
      happens();
      return page(...question);
    });
  };

  it('begins a pass anew whose continuation CWS does not know any more, and skips nothing', async () => {
    for (const game of GAMES) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 250 + game });
    const before = await position();
    afterNextPage(() => {
      keyferry.cws.traffic.behaviors.set({ name: 'answers429', times: 1 });
    });
    await expect(feed().readFeed()).rejects.toMatchObject({ kind: 'retry_after' });
    keyferry.cws.traffic.behaviors.set({ name: 'expiresContinuation', times: 1 });
    await expect(feed().readFeed()).rejects.toMatchObject({ kind: 'rejected', status: 400 });
    expect(await position()).toEqual(before);
    expect(await quantity(keyferry, 8)).not.toBe(258);
    await feed().readFeed();
    for (const game of GAMES) expect(await quantity(keyferry, game)).toBe(250 + game);
  });

  it('begins a pass anew that an error has ended in the middle, also after a restart, and skips nothing', async () => {
    for (const game of GAMES) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 270 + game });
    const before = await position();
    afterNextPage(() => {
      keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    });
    await expect(feed().readFeed()).rejects.toMatchObject({ kind: 'retry', status: 500 });
    expect(await position()).toEqual(before);
    expect([await quantity(keyferry, 1), await quantity(keyferry, 8)]).toEqual([271, 258]);
    await keyferry.app.close();
    keyferry.cws.traffic.behaviors.clear({});
    keyferry = await startKeyferry({ restarts: keyferry });
    await feed().readFeed();
    for (const game of GAMES) expect(await quantity(keyferry, game)).toBe(270 + game);
  });

  it('is not blamed for a change that the sweep has found a moment earlier', async () => {
    for (const game of [1, 2, 3, 4]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 300 });
    await letPass(keyferry, '2 minutes');
    await keyferry.app.get(SweepService).sweep();
    for (let pass = 0; pass < 3; pass += 1) await feed().readFeed();
    expect(await keyferry.sql('SELECT verdict, count(*) FROM unannounced_changes GROUP BY 1')).toEqual([
      { verdict: 'announced', count: 4 },
    ]);
    expect(await keyferry.sql('SELECT unreliable_since FROM sync_cursors')).toEqual([{ unreliable_since: null }]);
  });

  it('is not blamed when it is late by less than a minute, nor, in the end, by less than two', async () => {
    await keyferry.sql('DELETE FROM unannounced_changes');
    const found = (seconds: number) =>
      keyferry.sql("UPDATE unannounced_changes SET found_at = now() - $1 * interval '1 second'", [seconds]);
    const verdicts = async () =>
      (await keyferry.sql('SELECT DISTINCT verdict FROM unannounced_changes')).map(
        ({ verdict }: { verdict: string | null }) => verdict,
      );
    const passes = async (from: string, count: number): Promise<void> => {
      for (let pass = 0; pass < count; pass += 1) {
        // Not believed, it would rest.
        await keyferry.sql(
          `UPDATE sync_cursors SET unreliable_since = NULL, reread_position = NULL, position = now() + $1::interval`,
          [from],
        );
        await feed().readFeed();
      }
    };
    const silent = '1 hour';
    await letPass(keyferry, '2 minutes');
    for (const game of [5, 6, 7, 8]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 310 });
    await keyferry.app.get(SweepService).sweep();
    await passes(silent, 2);
    await found(50);
    await passes(silent, 2);
    expect(await verdicts()).toEqual([null]);
    await found(70);
    await passes(silent, 2);
    expect(await verdicts()).toEqual(['missed']);
    await passes('0', 1);
    expect(await verdicts()).toEqual(['announced']);
    await keyferry.sql('UPDATE sync_cursors SET unreliable_since = NULL');
  });

  it('is not blamed for a product that vanishes or comes back: it cannot list what is not there', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'feedHidesChanges' });
    for (const isGone of [true, false]) {
      for (const game of [1, 2, 3, 4]) keyferry.cws.supplier.setProduct(cwsProductId(game), { gone: isGone });
      await letPass(keyferry, '2 minutes');
      await keyferry.app.get(SweepService).sweep();
    }
    keyferry.cws.traffic.behaviors.clear({});
    expect(await keyferry.sql('SELECT 1 FROM unannounced_changes WHERE verdict IS NULL')).toEqual([]);
  });
});

describe('a feed that keeps changes to itself', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 20 },
      environment: { RESERVATION_STOCK_MAX_AGE_SECONDS: '10', ADMIN_PASSWORD: 'an-admin-password' },
    });
    await mapGames(keyferry, GAMES);
    // From the start: what it has once announced it repeats for two minutes, as it stands then.
    keyferry.cws.traffic.behaviors.set({ name: 'feedHidesChanges' });
    for (const game of GAMES) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 50 });
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  const feed = (): FeedService => keyferry.app.get(FeedService);
  const isUnreliable = async (): Promise<boolean> => {
    const [row] = await keyferry.sql('SELECT unreliable_since IS NOT NULL AS unreliable FROM sync_cursors');
    return row.unreliable;
  };
  const openAlerts = async (): Promise<unknown[]> =>
    keyferry.sql(`SELECT message FROM alerts WHERE kind = 'feed_unreliable' AND cleared_at IS NULL`);
  const metrics = async (): Promise<string> => (await fetch(`${keyferry.url}/metrics`)).text();

  /** The sweep finds the changes of these games, and the feed has its two chances and its minute to announce them. */
  async function miss(games: readonly number[], newQuantity: number): Promise<void> {
    for (const game of games) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: newQuantity });
    await letPass(keyferry, '90 seconds');
    await keyferry.app.get(SweepService).sweep();
    await keyferry.sql(`UPDATE unannounced_changes SET found_at = now() - interval '61 seconds' WHERE verdict IS NULL`);
    await feed().readFeed();
    await feed().readFeed();
  }

  it('is believed while that happens rarely', async () => {
    await miss([1, 2], 40);
    expect(await keyferry.sql(`SELECT count(*) AS missed FROM unannounced_changes WHERE verdict = 'missed'`)).toEqual([
      { missed: 2 },
    ]);
    expect(await isUnreliable()).toBe(false);
    expect(await metrics()).toContain('keyferry_feed_reliable{feed="cws_products"} 1');
  });

  it('is not believed any more when it happens again; people are told, and the metrics say so', async () => {
    await miss([3], 39);
    expect(await isUnreliable()).toBe(true);
    expect(await openAlerts()).toEqual([{ message: expect.stringContaining('3 of 3 changes') }]);
    const said = await metrics();
    expect(said).toContain('keyferry_feed_reliable{feed="cws_products"} 0');
    expect(said).toMatch(/keyferry_feed_missed_changes 3\n/);
    expect(said).toMatch(/keyferry_sweep_cycle_seconds \d/);
  });

  it('is read less often then: the requests are the sweep’s', async () => {
    expect(await feed().readFeed()).toBe(false);
  });

  it('does not make anything fresh then: what the sweep has not seen for too long is stopped, and comes back by itself', async () => {
    const shown = (game: number) => keyferry.g2a.marketplace.offer(g2aOfferId(game));
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now(), sweep_cycle_seconds = 60`);
    await keyferry.sql(
      `UPDATE supplier_products SET requested_at = now() - CASE WHEN cws_product_id = $1
         THEN interval '301 seconds' ELSE interval '200 seconds' END`,
      [cwsProductId(1)],
    );
    await keyferry.sync();
    expect(shown(1)).toMatchObject({ active: false, size: 0 });
    expect(shown(2)).toMatchObject({ active: true });
    expect(
      await keyferry.sql('SELECT desired_reason FROM offers WHERE g2a_product_id = $1', [g2aProductId(1)]),
    ).toEqual([{ desired_reason: 'stale' }]);
    keyferry.cws.traffic.behaviors.clear({ name: 'answers500' });
    await keyferry.sync();
    expect(shown(1)).toMatchObject({ active: true });
  });

  it('lets offers live for one and a half cycles of the sweep, when that is longer', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    await keyferry.sql(`UPDATE sync_cursors SET sweep_cycle_seconds = 400`);
    await keyferry.sql('UPDATE offers SET reprice_at = now()');
    await keyferry.sql(
      `UPDATE supplier_products SET requested_at = now() - CASE WHEN cws_product_id = $1
         THEN interval '610 seconds' ELSE interval '550 seconds' END`,
      [cwsProductId(1)],
    );
    await keyferry.sync();
    keyferry.cws.traffic.behaviors.clear({ name: 'answers500' });
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(1))).toMatchObject({ active: false });
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(2))).toMatchObject({ active: true });
    await keyferry.sync();
  });

  it('has every reservation checked live', async () => {
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '11 seconds'`);
    await keyferry.sql('UPDATE sync_cursors SET pass_started_at = now()');
    keyferry.cws.supplier.setProduct(cwsProductId(5), { quantity: 0 });
    const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(5), quantity: 1 }]);
    expect(reservation).toMatchObject({ ok: false, error: { code: 'insufficient_stock' } });
    keyferry.cws.supplier.setProduct(cwsProductId(5), { quantity: 50 });
  });

  it('is believed again after half an hour without a miss', async () => {
    keyferry.cws.traffic.behaviors.clear({});
    // What is still open is judged first.
    for (let pass = 0; pass < 3; pass += 1) {
      await letPass(keyferry, '1 minute');
      await keyferry.sync();
    }
    await letPass(keyferry, '20 minutes');
    await keyferry.sync();
    expect(await isUnreliable()).toBe(true);
    await letPass(keyferry, '31 minutes');
    await keyferry.sync();
    expect(await isUnreliable()).toBe(false);
    expect(await openAlerts()).toEqual([]);
  });
});

describe('the feed of a CWS that shows changes late', () => {
  it('brings a change that is shown a minute after the time that it bears, with the next pass', async () => {
    const keyferry = await startKeyferry({ cws: { products: 5 } });
    try {
      await mapGames(keyferry, [1]);
      const feed = keyferry.app.get(FeedService);
      for (let pass = 0; pass < 3; pass += 1) await feed.readFeed();
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 66 });
      // As if the last pass had begun a minute after that, and had not shown it.
      await keyferry.sql(
        `UPDATE sync_cursors SET position = position + interval '1 minute', reread_position = reread_position + interval '1 minute'`,
      );
      await feed.readFeed();
      expect(await quantity(keyferry, 1)).toBe(66);
    } finally {
      await keyferry.stop();
    }
  });
});

describe('the feed of a CWS with a tight limit', () => {
  let keyferry: Keyferry;
  const games = Array.from({ length: 20 }, (_, index) => index + 1);

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 20, pageSize: 1, limits: { products: null } },
      // 10 of them for the feed: a pass of 20 pages never fits.
      environment: { CWS_PRODUCTS_RATE: '12/4s' },
    });
    await mapGames(keyferry, games);
    await keyferry.app.get(FeedService).readFeed();
  });
  afterAll(() => keyferry.stop());

  it('goes on where the limit has cut it short, tells that it is late, and comes to its end', async () => {
    const feed = keyferry.app.get(FeedService);
    const lateAlerts = () =>
      keyferry.sql(`SELECT message, cleared_at IS NOT NULL AS cleared FROM alerts WHERE kind = 'feed_late'`);
    for (const game of games) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 100 + game });
    await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now() - interval '151 seconds'`);
    keyferry.cws.traffic.forget();
    const outcomes: string[] = [];
    const pass = async (): Promise<void> => {
      const outcome = await feed.readFeed().then(
        () => 'read',
        (error: unknown) => (error instanceof UpstreamError ? error.kind : 'failed'),
      );
      outcomes.push(outcome);
    };
    await pass();
    expect(await lateAlerts()).toEqual([{ message: expect.stringMatching(/15\d s ago/), cleared: false }]);
    for (const deadline = Date.now() + 40_000; outcomes.at(-1) !== 'read' && Date.now() < deadline;) {
      await sleep(250);
      await pass();
    }
    expect(new Set(outcomes)).toEqual(new Set(['retry_after', 'read']));
    for (const game of games) expect(await quantity(keyferry, game)).toBe(100 + game);
    expect(keyferry.cws.traffic.counters()['GET /v3/products']).toMatchObject({ requests: games.length });
    expect(await lateAlerts()).toMatchObject([{ cleared: true }]);
  });
});

describe('the feed of a CWS whose clock is ten minutes behind', () => {
  it('brings what changes all the same, and people are told of the clock', async () => {
    const keyferry = await startKeyferry({ cws: { products: 5, clockOffsetMs: -600_000 } });
    try {
      const feed = keyferry.app.get(FeedService);
      await mapGames(keyferry, [1]);
      await feed.readFeed();
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 77 });
      await feed.readFeed();
      expect(await quantity(keyferry, 1)).toBe(77);
      expect(await keyferry.sql(`SELECT message FROM alerts WHERE kind = 'clock_skew' AND cleared_at IS NULL`)).toEqual(
        [{ message: expect.stringMatching(/^CWS's clock is 60\d s behind/) }],
      );
    } finally {
      await keyferry.stop();
    }
  });
});
