import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { g2aExtraOfferId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import type { Offer } from '../sandbox/g2a-marketplace.js';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { LeadershipService } from '../src/sync/leadership.service.js';
import { type Keyferry, mapGames } from './support/keyferry.js';
import { PRICE, publishingSteps, startPublishing } from './support/publishing-steps.js';

const OFF = expect.objectContaining({ active: false, size: 0 });

let keyferry: Keyferry;
const { round, reconcile, supply, shown, isGameOf, row, alerts, different, listedBefore, requests } = publishingSteps(
  () => keyferry,
);

beforeAll(async () => {
  keyferry = await startPublishing();
});
afterAll(() => keyferry.stop());

describe('what G2A shows of published offers', () => {
  it('follows thousands of new offers in a few transactions', async () => {
    expect(
      await keyferry.sql(`SELECT count(DISTINCT xmin::text)::int AS count FROM audit_log WHERE action = 'offer.found'`),
    ).toEqual([{ count: 1 }]);
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
