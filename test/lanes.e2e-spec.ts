import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { DesiredStateService } from '../src/sync/desired-state.service.js';
import { PublishQueue } from '../src/sync/publish-queue.js';
import { PublishOffersService } from '../src/sync/publish-offers.service.js';
import { SlowLanesService } from '../src/sync/slow-lanes.service.js';
import { SyncRoundService } from '../src/sync/sync-round.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within 30 s: ${what}`);
    await sleep(25);
  }
}

const isActive = (keyferry: Keyferry, game: number): boolean => keyferry.g2a.marketplace.offer(g2aOfferId(game)).active;
const size = (keyferry: Keyferry, game: number): number => keyferry.g2a.marketplace.offer(g2aOfferId(game)).size;

describe('the lanes of synchronization', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { limits: { products: null } },
      // The feed is read as often as its limit allows.
      environment: { SYNC_INTERVAL_SECONDS: '1', CWS_PRODUCTS_RATE: '4000/600s' },
    });
    await mapGames(keyferry, [1, 2, 3]);
    await until(() => [1, 2, 3].every((game) => isActive(keyferry, game)), 'all is on sale');
  });
  afterEach(() => {
    keyferry.cws.traffic.behaviors.clear({});
    jest.restoreAllMocks();
  });
  afterAll(() => keyferry.stop());

  const openAlerts = (kind: string): Promise<{ subject: string }[]> =>
    keyferry.sql('SELECT subject FROM alerts WHERE kind = $1 AND cleared_at IS NULL ORDER BY subject', [kind]);

  it('bring a change of the supplier to G2A by the clock alone', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 0 });
    await until(() => !isActive(keyferry, 1), 'the sold out offer is off');
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 5 });
    await until(() => isActive(keyferry, 1), 'the restocked offer is on');
  });

  it('go on when one of them fails, tell which, and take the alert back', async () => {
    const failure = jest
      .spyOn(keyferry.app.get(DesiredStateService), 'refresh')
      .mockRejectedValue(new Error('a mistake of ours'));
    const failed = async () => (await openAlerts('sync_failed')).map(({ subject }) => subject);
    await until(async () => (await failed()).includes('refresh'), 'the alert is open');
    // The other one is what pricing does when it is woken between two turns.
    expect(['refresh', 'refresh_stored']).toEqual(expect.arrayContaining(await failed()));
    keyferry.cws.traffic.forget();
    await until(() => 'GET /v3/products' in keyferry.cws.traffic.counters(), 'the feed is read all the same');
    failure.mockRestore();
    await until(async () => (await openAlerts('sync_failed')).length === 0, 'the alert is closed');
  });

  it('are reported when they take too long, until they are over', async () => {
    const slowLanes = keyferry.app.get(SlowLanesService);
    await slowLanes.stillRuns('sweep', 14_000);
    expect(await openAlerts('sync_slow')).toEqual([]);
    await slowLanes.stillRuns('sweep', 16_000);
    // The clock's own run of the lane may have ended meanwhile, and closed it.
    expect(await keyferry.sql(`SELECT subject, message FROM alerts WHERE kind = 'sync_slow'`)).toEqual([
      { subject: 'sweep', message: 'the lane "sweep" has been running for 16 s, so it is late' },
    ]);
    await until(async () => (await openAlerts('sync_slow')).length === 0, 'the alert is closed');
  });

  it('do not wait for each other: while CWS leaves the feed without an answer, an offer is switched off', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 8000, route: 'GET /v3/products' });
    keyferry.cws.traffic.forget();
    const asked = () => keyferry.cws.traffic.requests().filter(({ route }) => route === 'GET /v3/products');
    await until(() => asked().length > 0, 'the feed is asked');
    await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(2)]);
    await until(() => !isActive(keyferry, 2), 'the disabled offer is off');
    expect(asked()[0]).toMatchObject({ status: null });
    await keyferry.sql('UPDATE product_mappings SET is_enabled = true');
  });
});

describe('the publisher', () => {
  it('keeps a better price back while news are on their way that may be a loss, and nothing else', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      const price = (): unknown => keyferry.g2a.marketplace.offer(g2aOfferId(1)).retailCents;
      const before = price();
      await keyferry.sql(
        `UPDATE offers SET desired_price_cents = desired_price_cents - 1,
           desired_business_price_cents = desired_business_price_cents - 1 WHERE g2a_product_id = $1`,
        [g2aProductId(1)],
      );
      await keyferry.sql(
        `UPDATE offers SET desired_is_active = false, desired_size = 0, desired_reason = 'out_of_stock' WHERE g2a_product_id = $1`,
        [g2aProductId(2)],
      );
      const publisher = keyferry.app.get(PublishOffersService);
      expect(await publisher.publish(() => true)).toBe(1);
      expect(isActive(keyferry, 2)).toBe(false);
      expect(price()).toBe(before);
      expect(await publisher.publish()).toBe(1);
      expect(price()).not.toBe(before);
    } finally {
      await keyferry.stop();
    }
  });

  it('sends the last of the news before a better price, though it came after the queue was read', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      await keyferry.sql(
        `UPDATE offers SET desired_price_cents = desired_price_cents - 1,
           desired_business_price_cents = desired_business_price_cents - 1 WHERE g2a_product_id = $1`,
        [g2aProductId(1)],
      );
      const patches = (game: number): number => keyferry.g2a.marketplace.patches(g2aOfferId(game)).length;
      const before = patches(1);
      let looks = 0;
      await keyferry.app.get(PublishOffersService).publish(async () => {
        looks += 1;
        if (looks === 1) {
          await keyferry.sql(
            `UPDATE offers SET desired_is_active = false, desired_size = 0, desired_reason = 'out_of_stock' WHERE g2a_product_id = $1`,
            [g2aProductId(2)],
          );
        } else {
          await until(() => !isActive(keyferry, 2), 'the stop is sent');
          expect(patches(1)).toBe(before);
        }
        return false;
      });
      expect(looks).toBe(2);
      expect(patches(1)).toBe(before + 1);
    } finally {
      await keyferry.stop();
    }
  });

  it('asks about news again when what it had room for is gone, and a better price would go in its place', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      const change = (game: number, assignment: string): Promise<unknown> =>
        keyferry.sql(`UPDATE offers SET ${assignment} WHERE g2a_product_id = $1`, [g2aProductId(game)]);
      let looks = 0;
      let isMoreToCome = true;
      const queue = new PublishQueue(keyferry.app.get(DataSource).manager, {
        lowStock: 5,
        isDoubtful: () => false,
        isMoreToCome: () => {
          looks += 1;
          return isMoreToCome;
        },
      });
      const offerOf = (game: number) => expect.objectContaining({ g2aOfferId: g2aOfferId(game) });
      const none = new Map();
      await change(1, 'desired_price_cents = desired_price_cents - 1');
      await change(2, 'desired_is_active = false');
      expect(await queue.first(none)).toEqual(offerOf(2));
      expect(looks).toBe(0);
      await change(2, 'desired_is_active = true');
      // What was read is too old to go by.
      await sleep(1100);
      expect(await queue.take(none)).toBeUndefined();
      expect(looks).toBe(1);
      isMoreToCome = false;
      expect(await queue.first(none)).toEqual(offerOf(1));
      expect(looks).toBe(3);
      expect(await queue.take(none)).toEqual(offerOf(1));
      expect(looks).toBe(3);
    } finally {
      await keyferry.stop();
    }
  });

  it('keeps a better price back while anything that was stored is not priced yet', async () => {
    const keyferry = await startKeyferry();
    const round = keyferry.app.get(SyncRoundService);
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      const price = (): unknown => keyferry.g2a.marketplace.offer(g2aOfferId(1)).retailCents;
      const before = price();
      await keyferry.sql(
        `UPDATE offers SET desired_price_cents = desired_price_cents - 1,
           desired_business_price_cents = desired_business_price_cents - 1 WHERE g2a_product_id = $1`,
        [g2aProductId(1)],
      );
      await keyferry.sql('INSERT INTO repricings (g2a_product_id) VALUES ($1)', [g2aProductId(2)]);
      await round.publish();
      expect(price()).toBe(before);
      await keyferry.sql('DELETE FROM repricings');
      await round.publish();
      expect(price()).not.toBe(before);
    } finally {
      await keyferry.stop();
    }
  });

  it('keeps a better price back when the sweep has found many changes, until the feed had its turn', async () => {
    const keyferry = await startKeyferry({ cws: { products: 60 }, g2a: { products: 60 } });
    const round = keyferry.app.get(SyncRoundService);
    const games = Array.from({ length: 60 }, (_, index) => index + 1);
    const price = (game: number): unknown => keyferry.g2a.marketplace.offer(g2aOfferId(game)).retailCents;
    const cut = (some: readonly number[], value: number): void => {
      for (const game of some) {
        keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 20, prices: [{ value, from: 1, to: null }] });
      }
    };
    const findBySweep = async (): Promise<void> => {
      await keyferry.sql(`UPDATE supplier_products SET requested_at = requested_at - interval '1 day'`);
      await keyferry.sql(`UPDATE product_mapping_suppliers SET mapped_at = now() - interval '9 days'`);
      await round.sweep();
      await round.refresh();
      await round.publish();
    };
    try {
      cut(games, 6.32);
      await mapGames(keyferry, games);
      await keyferry.sync();
      await keyferry.sync();
      expect(price(1)).toBe(803);

      cut(games.slice(0, 10), 6.2);
      await findBySweep();
      expect(price(1)).toBeLessThan(803);

      const before = price(60);
      cut(games, 6);
      await findBySweep();
      expect(price(60)).toBe(before);
      await round.readFeed();
      await round.publish();
      expect(price(60)).toBe(765);

      cut(games, 5.9);
      await findBySweep();
      expect(price(60)).toBe(765);
      await keyferry.sql('UPDATE sync_cursors SET unreliable_since = now()');
      await round.publish();
      expect(price(60)).toBeLessThan(765);
    } finally {
      await keyferry.stop();
    }
  });

  it('keeps a better price of the first page of the feed back until the last page is read: it may bring stops', async () => {
    const keyferry = await startKeyferry({ cws: { products: 3, pageSize: 2 } });
    const round = keyferry.app.get(SyncRoundService);
    const supply = (game: number, quantity: number, value: number): unknown =>
      keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices: [{ value, from: 1, to: null }] });
    const shown = () =>
      [1, 2, 3].map((game) => {
        const { active, retailCents } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
        return active ? retailCents : 'off';
      });
    try {
      for (const game of [1, 2, 3]) supply(game, 20, 6.32);
      await mapGames(keyferry, [1, 2, 3]);
      await keyferry.sync();
      expect(shown()).toEqual([803, 803, 803]);

      supply(1, 20, 6);
      // Shown is 8.03, of which 6.82 is left.
      supply(2, 20, 6.9);
      supply(3, 0, 6.32);
      const route = 'GET /v3/products';
      keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 0, route, times: 1 });
      keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 3000, route });
      keyferry.cws.traffic.forget();
      const pages = () => keyferry.cws.traffic.requests().filter((request) => request.route === route);
      const pass = round.readFeed();
      await until(() => pages().length === 2, 'the second page is asked for');
      await round.refresh();
      await round.publish();
      expect(pages()[1]).toMatchObject({ status: null });
      expect(shown()).toEqual([803, 871, 803]);

      await pass;
      await round.refresh();
      await round.publish();
      expect(shown()).toEqual([765, 871, 'off']);
      expect(pages()).toHaveLength(2);
    } finally {
      await keyferry.stop();
    }
  });
});

describe('a pause', () => {
  const reasons = async (keyferry: Keyferry): Promise<string[]> =>
    (await keyferry.sql('SELECT DISTINCT desired_reason FROM offers')).map(
      (row: { desired_reason: string }) => row.desired_reason,
    );
  const pause = (keyferry: Keyferry, isPaused: boolean): Promise<unknown> =>
    keyferry.sql('UPDATE control_state SET is_paused = $1', [isPaused]);

  it('switches the offers off and asks CWS for nothing; the end of it brings them back as they should be by then', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      expect([isActive(keyferry, 1), isActive(keyferry, 2)]).toEqual([true, true]);
      await pause(keyferry, true);
      keyferry.cws.traffic.forget();
      await keyferry.sync();
      expect([isActive(keyferry, 1), isActive(keyferry, 2)]).toEqual([false, false]);
      expect(await reasons(keyferry)).toEqual(['paused']);
      expect(keyferry.cws.traffic.counters()['GET /v3/products']).toBeUndefined();

      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 4 });
      keyferry.cws.supplier.setProduct(cwsProductId(2), { quantity: 0 });
      // As after a long one: what is known is too old to sell by, until CWS was asked.
      await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '1 hour'`);
      await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now() - interval '1 hour'`);
      await pause(keyferry, false);
      await keyferry.sync();
      expect([isActive(keyferry, 1), isActive(keyferry, 2)]).toEqual([true, false]);
      expect(size(keyferry, 1)).toBe(4);
    } finally {
      await keyferry.stop();
    }
  });

  it('leaves the offers as they are with PAUSE_DEACTIVATES_OFFERS=false, whatever the supplier does', async () => {
    const keyferry = await startKeyferry({ environment: { PAUSE_DEACTIVATES_OFFERS: 'false' } });
    try {
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      await pause(keyferry, true);
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 0 });
      keyferry.g2a.traffic.forget();
      await keyferry.sync();
      expect(keyferry.g2a.traffic.requests()).toEqual([]);
      expect(isActive(keyferry, 1)).toBe(true);
      await pause(keyferry, false);
      await keyferry.sync();
      expect(isActive(keyferry, 1)).toBe(false);
    } finally {
      await keyferry.stop();
    }
  });

  it('is obeyed within one interval by a process that is running', async () => {
    const keyferry = await startKeyferry({ environment: { SYNC_INTERVAL_SECONDS: '1' } });
    try {
      await mapGames(keyferry, [1]);
      await until(() => isActive(keyferry, 1), 'it is on sale');
      // CWS keeps the supply lane busy: the pause does not wait for it.
      keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 5000, route: 'GET /v3/products' });
      await pause(keyferry, true);
      await until(() => !isActive(keyferry, 1), 'it is off');
      keyferry.cws.traffic.behaviors.clear({});
      await pause(keyferry, false);
      await until(() => isActive(keyferry, 1), 'it is on sale again');
    } finally {
      await keyferry.stop();
    }
  });

  it('by SERVICE_ENABLED=false switches off what an earlier process has switched on, and sells nothing', async () => {
    const keyferry = await startKeyferry({ environment: { SERVICE_ENABLED: 'false' } });
    try {
      keyferry.g2a.marketplace.edit(g2aOfferId(1), { active: true, size: 9 });
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      expect(isActive(keyferry, 1)).toBe(false);
      expect(await reasons(keyferry)).toEqual(['service_disabled']);
      expect(keyferry.cws.traffic.counters()['GET /v3/products']).toBeUndefined();
    } finally {
      await keyferry.stop();
    }
  });
});
