import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aExtraOfferId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import type { Offer, ReceivedPatch } from '../sandbox/g2a-marketplace.js';
import { type OfferToPublish, offersToPublish, recordSending } from '../src/catalog/offer-changes.queries.js';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { takeDueStopJobs } from '../src/catalog/offer-stops.queries.js';
import { LeadershipService } from '../src/sync/leadership.service.js';
import { OfferDeactivationsService } from '../src/sync/offer-deactivations.service.js';
import { planChange } from '../src/sync/publish.rules.js';
import { PublishOffersService } from '../src/sync/publish-offers.service.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { SyncRoundService } from '../src/sync/sync-round.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const GAMES = Array.from({ length: 16 }, (_, index) => index + 1);
const PRICE = 6.32;
const OFF = expect.objectContaining({ active: false, size: 0 });

describe('the publisher', () => {
  let keyferry: Keyferry;
  const round = (): SyncRoundService => keyferry.app.get(SyncRoundService);
  const reconcile = (): ReconcileOffersService => keyferry.app.get(ReconcileOffersService);

  const supply = (game: number, change: { quantity?: number; price?: number }): void => {
    const { quantity, price } = change;
    const prices = price === undefined ? undefined : [{ value: price, from: 1, to: null }];
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices });
  };
  const shown = (game: number): Offer => keyferry.g2a.marketplace.offer(g2aOfferId(game));
  const patches = (game: number): ReceivedPatch[] => keyferry.g2a.marketplace.patches(g2aOfferId(game));
  const isGameOf = (id: string): number => Number(id.slice(-12));
  const row = async (game: number): Promise<Record<string, unknown>> => {
    const [offer] = await keyferry.sql('SELECT * FROM offers WHERE g2a_product_id = $1', [g2aProductId(game)]);
    return offer;
  };
  const alerts = async (kind: string): Promise<string[]> =>
    (await keyferry.sql('SELECT subject FROM alerts WHERE kind = $1 AND cleared_at IS NULL', [kind])).map(
      (alert: { subject: string }) => alert.subject,
    );
  const different = (): Promise<OfferToPublish[]> =>
    offersToPublish(keyferry.app.get(DataSource).manager, {
      lowStock: 10,
      except: [],
      limit: 100,
      isDoubtful: false,
    });
  /** As if the listing had been read so long ago. */
  const listedBefore = (seconds: number): void => {
    const at = new Date(Date.now() - seconds * 1000);
    Reflect.set(reconcile(), 'lastRead', { at, changedPages: 1 });
  };
  const requests = (route: string): number =>
    keyferry.g2a.traffic.requests().filter((request) => request.route === route).length;

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 20 },
      g2a: { products: 20, extraOffers: 18, extraOfferType: 'dropshipping' },
    });
    // It sends when a test says so.
    round().whenOffersChange(() => undefined);
    // Only the last game has two offers.
    for (const game of GAMES) keyferry.g2a.marketplace.edit(g2aExtraOfferId(game), { gone: true });
    await mapGames(keyferry, GAMES);
    for (const game of GAMES) supply(game, { quantity: 20, price: PRICE });
    supply(3, { quantity: 0 });
    await keyferry.sync();
    await reconcile().readAll();
  });
  afterAll(() => keyferry.stop());

  it('stops selling first, then raises prices that lose money, then lowers stock that is nearly gone, and leaves cosmetics to the end', async () => {
    supply(1, { quantity: 0 });
    // Shown is 8.03, of which 6.82 is left.
    supply(2, { price: 6.9 });
    supply(3, { quantity: 20 });
    supply(4, { price: 5 });
    supply(5, { price: 6.4 });
    supply(6, { quantity: 4 });
    keyferry.g2a.marketplace.edit(g2aOfferId(7), { size: 18 });
    await reconcile().readAll();
    await round().readFeed();
    await round().refresh();
    expect((await different()).map(({ g2aOfferId: id, risk }) => [isGameOf(id), risk])).toEqual([
      [1, 'stop_selling'],
      [2, 'losing_price'],
      [6, 'shrinking_stock'],
      [3, 'back_in_stock'],
      [4, 'other'],
      [5, 'other'],
      [7, 'stock_cosmetics'],
    ]);
    await round().publish();
    expect(await different()).toEqual([]);
    expect([1, 2, 3, 4, 5, 6, 7].map((game) => shown(game).size)).toEqual([0, 20, 20, 20, 20, 4, 20]);
    expect(shown(2)).toMatchObject({ active: true, retailCents: 871 });
  });

  it('stops what is sold out before what a whole shop may need at once, and what is shown as off already', async () => {
    const reasons = { 1: 'stale', 2: 'paused', 3: 'out_of_stock', 4: 'out_of_stock' };
    let queue: OfferToPublish[];
    const runner = keyferry.app.get(DataSource).createQueryRunner();
    await runner.startTransaction();
    try {
      for (const [game, reason] of Object.entries(reasons)) {
        await runner.query(
          `UPDATE offers SET desired_is_active = false, desired_size = 0, desired_reason = $2, observed_size = 5,
             observed_is_active = $3, sent_size = NULL, sent_is_active = NULL WHERE g2a_product_id = $1`,
          [g2aProductId(Number(game)), reason, game !== '3'],
        );
      }
      queue = await offersToPublish(runner.manager, { lowStock: 10, except: [], limit: 4, isDoubtful: false });
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
    expect(queue.map(({ g2aOfferId: id }) => isGameOf(id))).toEqual([4, 1, 2, 3]);
  });

  it('sends an offer that changes again while it is queued once, with the newest values', async () => {
    supply(8, { price: 7 });
    await round().readFeed();
    await round().refresh();
    const [queued] = await different();
    supply(8, { price: 8 });
    await round().readFeed();
    await round().refresh();
    const before = patches(8).length;
    const { manager } = keyferry.app.get(DataSource);
    expect(await recordSending(manager, queued!, planChange(queued!)!)).toBeNull();
    await round().publish();
    expect(patches(8).slice(before)).toHaveLength(1);
    expect(shown(8).retailCents).toBe(1000);
  });

  it('confirms a stop through its job, without reading the listing', async () => {
    supply(9, { quantity: 0 });
    await keyferry.sync();
    expect(await row(9)).toMatchObject({ sent_is_active: false, observed_is_active: true });
    await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
    keyferry.g2a.traffic.forget();
    await round().confirmStops();
    expect(await row(9)).toMatchObject({ stop_job_id: null, sent_is_active: null, observed_is_active: false });
    expect(requests('GET /v3/sales/offers')).toBe(0);
  });

  it('publishes a stop again at once when its job fails, and counts the failure', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(10), times: 1 });
    supply(10, { quantity: 0 });
    await keyferry.sync();
    expect(shown(10).active).toBe(true);
    await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
    await keyferry.sync();
    expect(shown(10)).toEqual(OFF);
    expect(await row(10)).toMatchObject({ failure_count: 1, last_error: expect.stringContaining('BR02') });
    await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
    await round().confirmStops();
    expect(await row(10)).toMatchObject({ failure_count: 0, last_error: null, observed_is_active: false });
  });

  describe('of which G2A has accepted a change that nobody has seen yet', () => {
    beforeAll(async () => {
      for (const game of [13, 14]) supply(game, { quantity: 0 });
      await keyferry.sync();
      await reconcile().readAll();
      for (const game of [13, 14]) supply(game, { quantity: 20 });
      await keyferry.sync();
      expect(await row(13)).toMatchObject({ observed_is_active: false, sent_is_active: true, sent_size: 20 });
    });

    it.each([
      ['answers500', 13],
      ['jobFails', 14],
    ])('sends a stop again that has come to nothing (%s)', async (name, game) => {
      keyferry.g2a.traffic.behaviors.set({ name, subject: g2aOfferId(game), times: 1 } as never);
      supply(game, { quantity: 0 });
      await keyferry.sync();
      await keyferry.sql(
        'UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL AND g2a_product_id = $1',
        [g2aProductId(game)],
      );
      await round().confirmStops();
      expect(shown(game)).toMatchObject({ active: true, size: 20 });
      expect(await row(game)).toMatchObject({ failure_count: 1 });
      await keyferry.sql('UPDATE offers SET retry_at = NULL WHERE g2a_product_id = $1', [g2aProductId(game)]);
      await round().publish();
      expect(shown(game)).toEqual(OFF);
    });

    it('sends a price again that has come to nothing, though it is the one that was seen last', async () => {
      for (const game of [13, 14]) supply(game, { quantity: 20 });
      await keyferry.sync();
      await reconcile().readAll();
      supply(13, { price: 7 });
      await keyferry.sync();
      expect(shown(13).retailCents).toBe(883);
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', subject: g2aOfferId(13), times: 1 });
      supply(13, { price: PRICE });
      await keyferry.sync();
      expect(shown(13).retailCents).toBe(883);
      await keyferry.sql('UPDATE offers SET retry_at = NULL WHERE g2a_product_id = $1', [g2aProductId(13)]);
      await round().publish();
      expect(shown(13).retailCents).toBe(803);
      await reconcile().readAll();
    });
  });

  it('switches an offer on again with new stock, though its own stop was seen', async () => {
    supply(10, { quantity: 20 });
    supply(9, { quantity: 20 });
    await keyferry.sync();
    await reconcile().readAll();
    expect([shown(9), shown(10)]).toEqual([
      expect.objectContaining({ active: true, size: 20 }),
      expect.objectContaining({ active: true, size: 20 }),
    ]);
    expect(await alerts('offer_switched_off_at_g2a')).toEqual([]);
  });

  it('corrects price and size of an offer that was edited in the panel', async () => {
    keyferry.g2a.marketplace.edit(g2aOfferId(11), { price: '1.00', size: 500 });
    await reconcile().readAll();
    expect((await different()).map(({ g2aOfferId: id, risk }) => [isGameOf(id), risk])).toEqual([[11, 'losing_price']]);
    await round().publish();
    expect(shown(11)).toMatchObject({ active: true, retailCents: 803, size: 20 });
  });

  describe('an offer that was switched off at G2A, not by us', () => {
    beforeAll(async () => {
      keyferry.g2a.marketplace.edit(g2aOfferId(12), { active: false });
      await reconcile().readAll();
      await keyferry.sync();
    });

    it('stays off, is left alone, and a person is told', async () => {
      const before = patches(12).length;
      supply(12, { price: 6 });
      await keyferry.sync();
      expect(patches(12)).toHaveLength(before);
      expect(shown(12).active).toBe(false);
      expect(await row(12)).toMatchObject({ desired_is_active: false, desired_reason: 'switched_off_at_g2a' });
      expect(await alerts('offer_switched_off_at_g2a')).toEqual([g2aOfferId(12)]);
    });

    it('is published again when a person clears that', async () => {
      await keyferry.app.get(OfferDeactivationsService).clear('cli:test', g2aProductId(12));
      await keyferry.sync();
      await reconcile().readAll();
      expect(shown(12).active).toBe(true);
      expect(await alerts('offer_switched_off_at_g2a')).toEqual([]);
    });

    it('is published again when G2A shows it on', async () => {
      keyferry.g2a.marketplace.edit(g2aOfferId(12), { active: false });
      await reconcile().readAll();
      await keyferry.sync();
      expect(await row(12)).toMatchObject({ desired_reason: 'switched_off_at_g2a' });
      keyferry.g2a.marketplace.edit(g2aOfferId(12), { active: true });
      await reconcile().readAll();
      await keyferry.sync();
      expect(await row(12)).toMatchObject({ desired_is_active: true, desired_reason: 'for_sale' });
      expect(await alerts('offer_switched_off_at_g2a')).toEqual([]);
    });
  });

  it('does not take a switch-off by the owner for its own earlier stop, once the offer was seen on again', async () => {
    supply(12, { quantity: 0 });
    await keyferry.sync();
    await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
    await round().confirmStops();
    await keyferry.sql(`UPDATE offers SET stop_sent_at = now() - interval '2 minutes' WHERE stop_sent_at IS NOT NULL`);
    supply(12, { quantity: 20 });
    await keyferry.sync();
    await reconcile().readAll();
    expect(shown(12).active).toBe(true);
    keyferry.g2a.marketplace.edit(g2aOfferId(12), { active: false });
    await reconcile().readAll();
    await keyferry.sync();
    expect(shown(12).active).toBe(false);
    expect(await alerts('offer_switched_off_at_g2a')).toEqual([g2aOfferId(12)]);
    await keyferry.app.get(OfferDeactivationsService).clear('cli:test', g2aProductId(12));
    await keyferry.sync();
    await reconcile().readAll();
  });

  describe('what the changed part of the listing does not show', () => {
    const isLate = (game: number): Promise<unknown> =>
      keyferry.sql(
        `UPDATE offers SET sent_at = now() - interval '3 minutes', stop_job_due_at = stop_job_due_at + interval '1 hour'
         WHERE g2a_product_id = $1`,
        [g2aProductId(game)],
      );

    it('in time is given up, and published again: a price whose job has failed', async () => {
      keyferry.g2a.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(16), times: 1 });
      supply(16, { price: 7 });
      await keyferry.sync();
      await isLate(16);
      listedBefore(61);
      keyferry.g2a.traffic.forget();
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers')).toBe(1);
      expect(await row(16)).toMatchObject({ failure_count: 1, last_error: expect.stringContaining('not shown') });
      expect(shown(16).retailCents).toBe(803);
      await round().publish();
      expect(shown(16).retailCents).toBe(883);
    });

    it('in time is given up, and published again: a stop whose job never ends', async () => {
      await reconcile().readAll();
      keyferry.g2a.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(16), times: 1 });
      supply(16, { quantity: 0 });
      await keyferry.sync();
      await isLate(16);
      listedBefore(61);
      await round().confirmChanges();
      expect(await row(16)).toMatchObject({ failure_count: 1, stop_job_id: null, sent_is_active: null });
      expect(shown(16).active).toBe(true);
      await round().publish();
      expect(shown(16)).toEqual(OFF);
    });

    it('in time has happened all the same, if G2A says so when asked for the offer: its clock may be far behind', async () => {
      const { settings } = keyferry.g2a.marketplace;
      supply(2, { quantity: 20, price: 5.9 });
      settings.clockOffsetMs = -600_000;
      await keyferry.sync();
      await isLate(2);
      listedBefore(61);
      keyferry.g2a.traffic.forget();
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers')).toBe(1);
      expect(requests('GET /v3/sales/offers/:offerId')).toBe(1);
      expect(await row(2)).toMatchObject({ failure_count: 0, sent_at: null, sent_price_cents: null });
      expect(await alerts('clock_skew')).toEqual(['g2a']);

      // From then on it is asked by its own clock.
      supply(2, { price: 5.8 });
      await keyferry.sync();
      listedBefore(61);
      await round().confirmChanges();
      expect(await row(2)).toMatchObject({ failure_count: 0, sent_at: null });
      expect(requests('GET /v3/sales/offers/:offerId')).toBe(1);
      settings.clockOffsetMs = 0;
      await reconcile().readAll();
      expect(await alerts('clock_skew')).toEqual([]);
    });

    it('is asked for by id a few at a time, and does not wait for an answer that is not understood', async () => {
      const games = [1, 2, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15];
      await keyferry.sql(
        `UPDATE offers SET sent_at = now() - interval '4 minutes', sent_size = 9999 WHERE g2a_product_id = ANY ($1)`,
        [games.map(g2aProductId)],
      );
      const failed = (): Promise<unknown[]> => keyferry.sql('SELECT 1 FROM offers WHERE failure_count > 0');
      const before = (await failed()).length;
      keyferry.g2a.shapes.detail = { ...keyferry.g2a.shapes.detail, omitsType: true };
      keyferry.g2a.marketplace.edit(g2aOfferId(1), { priceLimit: { min: 'high' } });
      keyferry.g2a.traffic.forget();
      listedBefore(5);
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers/:offerId')).toBe(10);
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers/:offerId')).toBe(12);
      expect((await failed()).length).toBe(before + 12);
      expect(requests('GET /v3/sales/offers')).toBe(0);
      keyferry.g2a.marketplace.edit(g2aOfferId(1), { priceLimit: {} });
      keyferry.g2a.shapes.detail = keyferry.g2a.shapes.list;
    });

    it('does not hide what somebody has edited in the panel before the oldest unconfirmed change', async () => {
      await reconcile().readAll();
      keyferry.g2a.marketplace.edit(g2aOfferId(11), { price: '1.00' });
      const offers = Reflect.get(keyferry.g2a.marketplace, 'byId') as Map<string, Offer>;
      offers.get(g2aOfferId(11))!.updatedAtMs -= 70_000;
      supply(2, { price: 6.05 });
      await keyferry.sync();
      listedBefore(75);
      keyferry.g2a.traffic.forget();
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers')).toBe(1);
      expect((await different()).map(({ g2aOfferId: id, risk }) => [isGameOf(id), risk])).toEqual([
        [11, 'losing_price'],
      ]);
      await round().publish();
      expect(shown(11).retailCents).toBe(803);
    });

    it('is nothing to follow: of two offers it may show one', async () => {
      await mapGames(keyferry, [18]);
      keyferry.g2a.marketplace.edit(g2aExtraOfferId(18), { size: 4 });
      await reconcile().readAll();
      expect(await alerts('offer_ambiguous')).toEqual([String(g2aProductId(18))]);
      keyferry.g2a.marketplace.edit(g2aExtraOfferId(18), { size: 5 });
      supply(5, { price: 6.1 });
      await keyferry.sync();
      listedBefore(61);
      keyferry.g2a.traffic.forget();
      await round().confirmChanges();
      expect(requests('GET /v3/sales/offers')).toBe(1);
      expect(await row(18)).toBeUndefined();
      await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(18)]);
    });
  });

  it('follows thousands of new offers in a few transactions', async () => {
    expect(
      await keyferry.sql(`SELECT count(DISTINCT xmin::text)::int AS count FROM audit_log WHERE action = 'offer.found'`),
    ).toEqual([{ count: 1 }]);
  });

  describe('the whole listing', () => {
    const route = 'GET /v3/sales/offers';
    const readBefore = (pages: number): void => {
      Reflect.set(reconcile(), 'fullListing', { at: new Date(), pages });
    };

    it('does not keep changes from being confirmed while it is read, and is told of when it is late', async () => {
      await reconcile().readAll();
      supply(4, { price: 5.3 });
      await keyferry.sync();
      keyferry.g2a.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1500, route, times: 1 });
      Reflect.set(reconcile(), 'fullListing', null);
      keyferry.g2a.traffic.forget();
      const whole = round().readListing();
      while (requests(route) === 0) await sleep(10);
      Reflect.set(reconcile(), 'fullListingDueAt', new Date(Date.now() - 601_000));
      listedBefore(61);
      await round().confirmChanges();
      expect(await row(4)).toMatchObject({ sent_at: null, sent_price_cents: null });
      expect(keyferry.g2a.traffic.requests().map(({ status }) => status)).toEqual([null, 200]);
      expect(await alerts('listing_late')).toEqual(['whole']);
      await whole;
      expect(await alerts('listing_late')).toEqual([]);
    });

    it('is read for a new product as soon as it can be, though it is long and has just failed', async () => {
      keyferry.g2a.marketplace.edit(g2aExtraOfferId(17), { gone: true });
      await mapGames(keyferry, [17]);
      readBefore(1000);
      Reflect.set(reconcile(), 'readForNewAt', null);
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route });
      await round().readListing();
      expect(await row(17)).toBeUndefined();
      keyferry.g2a.traffic.behaviors.clear({});
      readBefore(1000);
      await round().readListing();
      expect(await row(17)).toBeDefined();
      await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(17)]);
      await keyferry.sync();
    });

    it('is left by a process that does not lead any more, and counts as not read', async () => {
      Reflect.set(reconcile(), 'fullListing', null);
      const lost = jest.spyOn(keyferry.app.get(LeadershipService), 'isLeader').mockReturnValue(false);
      await reconcile().readAll();
      lost.mockRestore();
      expect(Reflect.get(reconcile(), 'fullListing')).toBeNull();
      keyferry.g2a.traffic.forget();
      await round().readListing();
      expect(requests(route)).toBe(1);
    });
  });

  it('tells when changes have not been confirmed for long', async () => {
    await keyferry.sql(`UPDATE offers SET sent_at = now() - interval '10 minutes' WHERE g2a_product_id = $1`, [
      g2aProductId(4),
    ]);
    listedBefore(301);
    keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/sales/offers' });
    await round().confirmChanges();
    expect(await alerts('listing_late')).toEqual(['changes']);
    keyferry.g2a.traffic.behaviors.clear({});
    await round().confirmChanges();
    expect(await alerts('listing_late')).toEqual([]);
  });

  it('asks about a stop the more rarely the longer its job takes', async () => {
    await keyferry.sql(
      `UPDATE offers SET sent_at = now() - interval '6 seconds', sent_is_active = false, stop_job_id = 'job', stop_job_due_at = now()
       WHERE g2a_product_id = $1`,
      [g2aProductId(4)],
    );
    await takeDueStopJobs(keyferry.app.get(DataSource).manager, 10);
    const [{ seconds }] = await keyferry.sql(
      'SELECT extract(epoch FROM stop_job_due_at - now())::float8 AS seconds FROM offers WHERE stop_job_id IS NOT NULL',
    );
    expect(Math.round(seconds)).toBe(12);
    await keyferry.sql(
      'UPDATE offers SET sent_at = NULL, sent_is_active = NULL, stop_job_id = NULL, stop_job_due_at = NULL WHERE stop_job_id IS NOT NULL',
    );
  });

  it('asks about stops though one of them is being written, and does not wait for that', async () => {
    for (const game of [6, 7]) supply(game, { quantity: 0 });
    await keyferry.sync();
    await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
    await keyferry.app.get(DataSource).transaction(async (manager) => {
      await manager.query('SELECT 1 FROM offers WHERE g2a_product_id = $1 FOR UPDATE', [g2aProductId(6)]);
      const due = await takeDueStopJobs(keyferry.app.get(DataSource).manager, 10);
      expect(due.map((job) => isGameOf(job.g2aOfferId))).toContain(7);
      expect(due.map((job) => isGameOf(job.g2aOfferId))).not.toContain(6);
    });
    for (const game of [6, 7]) supply(game, { quantity: 20 });
    await keyferry.sync();
    await reconcile().readAll();
  });

  it('serves the others first while G2A may be in trouble: offers on which it hangs do not hold them up', async () => {
    const hanging = [4, 5, 6, 7, 8];
    for (const game of hanging) {
      keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest', subject: g2aOfferId(game), hangs: true });
      supply(game, { quantity: 0 });
    }
    await keyferry.sql('UPDATE offers SET failure_count = 1 WHERE g2a_product_id = ANY ($1)', [
      hanging.map(g2aProductId),
    ]);
    Reflect.set(keyferry.app.get(PublishOffersService), 'isDoubtful', true);
    supply(15, { price: 7 });
    await keyferry.sync();
    expect(shown(15).retailCents).toBe(883);
    expect(await row(4)).toMatchObject({ failure_count: expect.any(Number), desired_is_active: false });
    keyferry.g2a.traffic.behaviors.clear({ name: 'losesRequest' });
    await keyferry.sql('UPDATE offers SET retry_at = NULL');
    supply(15, { price: PRICE });
    for (const game of hanging) supply(game, { quantity: 20 });
    await keyferry.sync();
    await reconcile().readAll();
  });

  it('sends a stop that turns up while it waits for nothing but an offer on which G2A hangs', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest', subject: g2aOfferId(4), hangs: true });
    supply(4, { price: 5.1 });
    await round().readFeed();
    await round().refresh();
    const run = { isOver: false };
    const publishing = round()
      .publish()
      .finally(() => {
        run.isOver = true;
      });
    while ((await row(4)).sent_at === null) await sleep(20);
    supply(15, { quantity: 0 });
    await round().readFeed();
    await round().refresh();
    while (shown(15).active && !run.isOver) await sleep(20);
    expect(run.isOver).toBe(false);
    await publishing.catch(() => undefined);
    keyferry.g2a.traffic.behaviors.clear({ name: 'losesRequest' });
    await keyferry.sql('UPDATE offers SET retry_at = NULL, failure_count = 0');
    supply(4, { price: PRICE });
    supply(15, { quantity: 20 });
    await keyferry.sync();
    await reconcile().readAll();
  });

  describe('an offer that keeps failing', () => {
    beforeAll(async () => {
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', subject: g2aOfferId(13) });
      await keyferry.sql('UPDATE offers SET failure_count = 9 WHERE g2a_product_id = $1', [g2aProductId(13)]);
      supply(13, { price: 5.5 });
      supply(14, { price: 7 });
      await keyferry.sync();
    });

    it('is quarantined, and the others go on', async () => {
      expect(shown(14).retailCents).toBe(883);
      expect(await row(13)).toMatchObject({ failure_count: 10, quarantined_at: expect.any(Date) });
      expect(await alerts('offer_failing')).toEqual([g2aOfferId(13)]);
      const [{ waits }] = await keyferry.sql(
        `SELECT retry_at > now() + interval '50 minutes' AS waits FROM offers WHERE quarantined_at IS NOT NULL`,
      );
      expect(waits).toBe(true);
    });

    it('is not tried for a new price', async () => {
      keyferry.g2a.traffic.behaviors.clear({});
      supply(13, { price: 5.4 });
      const before = patches(13).length;
      await keyferry.sync();
      expect(patches(13)).toHaveLength(before);
    });

    it('is switched off, and not offered again for an hour, when what it shows comes to lose money', async () => {
      // Shown is 8.03, of which 6.82 is left.
      supply(13, { price: 7 });
      const before = patches(13).length;
      await keyferry.sync();
      expect(shown(13)).toEqual(OFF);
      await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
      await keyferry.sync();
      await reconcile().readAll();
      await keyferry.sync();
      expect(patches(13)).toHaveLength(before + 1);
      expect(await row(13)).toMatchObject({ failure_count: 10, desired_is_active: true, observed_is_active: false });
      expect(await alerts('offer_failing')).toEqual([g2aOfferId(13)]);
    });

    it('is back at its right price when its time has come', async () => {
      await keyferry.sql('UPDATE offers SET retry_at = now() WHERE quarantined_at IS NOT NULL');
      await keyferry.sync();
      expect(shown(13)).toMatchObject({ active: true, retailCents: 883 });
    });

    it('is stopped all the same, and has recovered when that is confirmed', async () => {
      supply(13, { quantity: 0 });
      await keyferry.sync();
      expect(shown(13)).toEqual(OFF);
      await keyferry.sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL');
      await round().confirmStops();
      expect(await row(13)).toMatchObject({ failure_count: 0, quarantined_at: null });
      expect(await alerts('offer_failing')).toEqual([]);
    });
  });

  it('forgets the failures of an offer that shows what it should by now, though nothing was sent', async () => {
    await keyferry.sql(
      `UPDATE offers SET failure_count = 10, quarantined_at = now(), retry_at = now() + interval '1 hour', last_error = 'refused'
       WHERE g2a_product_id = $1`,
      [g2aProductId(8)],
    );
    await keyferry.app.get(AlertsService).raise('offer_failing', g2aOfferId(8), 'refused');
    const before = patches(8).length;
    await reconcile().readAll();
    expect(await row(8)).toMatchObject({ failure_count: 0, quarantined_at: null, retry_at: null, last_error: null });
    expect(await alerts('offer_failing')).toEqual([]);
    expect(patches(8)).toHaveLength(before);
  });

  it('goes on with the offer that it follows, and touches no second one, and tells', async () => {
    keyferry.g2a.marketplace.edit(g2aExtraOfferId(7), { gone: false });
    await reconcile().readAll();
    expect(await alerts('offer_ambiguous')).toEqual([String(g2aProductId(7))]);
    // Shown would lose money.
    supply(7, { price: 9 });
    await keyferry.sync();
    expect(shown(7).retailCents).toBeGreaterThan(900);
    supply(7, { quantity: 0 });
    await keyferry.sync();
    expect(shown(7)).toEqual(OFF);
    expect(keyferry.g2a.marketplace.patches(g2aExtraOfferId(7))).toEqual([]);
    keyferry.g2a.marketplace.edit(g2aExtraOfferId(7), { gone: true });
    supply(7, { quantity: 20, price: PRICE });
    await keyferry.sync();
    await reconcile().readAll();
    expect(await alerts('offer_ambiguous')).toEqual([]);
  });

  it('switches an offer off whose price loses money and is refused twice, and tells', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'answers500', subject: g2aOfferId(14), times: 2 });
    // Shown is 8.83.
    supply(14, { price: 9 });
    await keyferry.sync();
    expect(await row(14)).toMatchObject({ failure_count: 1, observed_is_active: true });
    await keyferry.sql('UPDATE offers SET retry_at = now()');
    await keyferry.sync();
    expect(await row(14)).toMatchObject({ failure_count: 2, observed_is_active: true });
    const [{ isSoon }] = await keyferry.sql(
      `SELECT retry_at < now() + interval '31 seconds' AS "isSoon" FROM offers WHERE failure_count = 2`,
    );
    expect(isSoon).toBe(true);
    await keyferry.sql('UPDATE offers SET retry_at = now()');
    await keyferry.sync();
    expect(shown(14)).toEqual(OFF);
    expect(await alerts('offer_failing')).toEqual([g2aOfferId(14)]);
    await keyferry.sql('UPDATE offers SET retry_at = now()');
    await keyferry.sync();
    await reconcile().readAll();
    expect(shown(14)).toMatchObject({ active: true, size: 20 });
    expect(await row(14)).toMatchObject({ failure_count: 0, last_error: null });
    expect(await alerts('offer_failing')).toEqual([]);
  });

  it('asks about an offer that the listing lacks, lets go of it when it is gone, and reports that', async () => {
    await keyferry.app.get(AlertsService).raise('offer_failing', g2aOfferId(15), 'refused');
    keyferry.g2a.marketplace.edit(g2aOfferId(15), { gone: true });
    await reconcile().readAll();
    expect(await row(15)).toBeUndefined();
    expect(await alerts('offer_missing')).toEqual(['']);
    expect(await alerts('offer_failing')).toEqual([]);
    keyferry.g2a.marketplace.edit(g2aOfferId(15), { gone: false });
    await reconcile().readAll();
    expect(await row(15)).toBeDefined();
    expect(await alerts('offer_missing')).toEqual([]);
  });

  it('confirms updates a minute later, many by one request', async () => {
    await keyferry.sync();
    await reconcile().readAll();
    for (const game of [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]) supply(game, { quantity: 30, price: 5.5 });
    keyferry.g2a.traffic.forget();
    await keyferry.sync();
    expect(requests('PATCH /v3/sales/offers/:offerId')).toBe(10);
    expect(requests('GET /v3/sales/offers')).toBe(0);
    listedBefore(59);
    await round().confirmChanges();
    expect(requests('GET /v3/sales/offers')).toBe(0);
    listedBefore(61);
    await round().confirmChanges();
    await round().confirmChanges();
    expect(requests('GET /v3/sales/offers')).toBe(1);
    expect(await keyferry.sql('SELECT 1 FROM offers WHERE sent_price_cents IS NOT NULL')).toEqual([]);
  });
});
