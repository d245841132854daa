import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { PublishOffersService } from '../src/sync/publish-offers.service.js';
import { PublishQueue } from '../src/sync/publish-queue.js';
import { SyncRoundService } from '../src/sync/sync-round.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { untilSeen } from './support/until-seen.js';

const isActive = (keyferry: Keyferry, game: number): boolean => keyferry.g2a.marketplace.offer(g2aOfferId(game)).active;

const makeCheaper = (keyferry: Keyferry, game: number): Promise<unknown> =>
  keyferry.sql(
    `UPDATE offers SET desired_price_cents = desired_price_cents - 1,
       desired_business_price_cents = desired_business_price_cents - 1 WHERE g2a_product_id = $1`,
    [g2aProductId(game)],
  );

const sellOut = (keyferry: Keyferry, game: number): Promise<unknown> =>
  keyferry.sql(
    `UPDATE offers SET desired_is_active = false, desired_size = 0, desired_reason = 'out_of_stock' WHERE g2a_product_id = $1`,
    [g2aProductId(game)],
  );

describe('a better price', () => {
  it('waits while news are on their way that may be a loss, and nothing else does', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      const price = (): unknown => keyferry.g2a.marketplace.offer(g2aOfferId(1)).retailCents;
      const before = price();
      await makeCheaper(keyferry, 1);
      await sellOut(keyferry, 2);
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

  it('goes after the last of the news, though these came after the queue was read', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      await makeCheaper(keyferry, 1);
      const patches = (game: number): number => keyferry.g2a.marketplace.patches(g2aOfferId(game)).length;
      const before = patches(1);
      let looks = 0;
      await keyferry.app.get(PublishOffersService).publish(async () => {
        looks += 1;
        if (looks === 1) {
          await sellOut(keyferry, 2);
        } else {
          await untilSeen(() => !isActive(keyferry, 2), 'the stop is sent');
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

  it('has news asked about again when it would go in the place of a stop that is gone', async () => {
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

  it('waits while anything that was stored is not priced yet', async () => {
    const keyferry = await startKeyferry();
    const round = keyferry.app.get(SyncRoundService);
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      const price = (): unknown => keyferry.g2a.marketplace.offer(g2aOfferId(1)).retailCents;
      const before = price();
      await makeCheaper(keyferry, 1);
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

  it('waits when the sweep has found many changes, until the feed had its turn', async () => {
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

  it('of the first page of the feed waits until the last page is read: it may bring stops', async () => {
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
      await untilSeen(() => pages().length === 2, 'the second page is asked for');
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
