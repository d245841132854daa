import { DataSource } from 'typeorm';
import { g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { type OfferToPublish, offersToPublish, recordSending } from '../src/catalog/offer-changes.queries.js';
import { takeDueStopJobs } from '../src/catalog/offer-stops.queries.js';
import { OfferDeactivationsService } from '../src/sync/offer-deactivations.service.js';
import { planChange } from '../src/sync/publish.rules.js';
import type { Keyferry } from './support/keyferry.js';
import { PRICE, publishingSteps, startPublishing } from './support/publishing-steps.js';

const OFF = expect.objectContaining({ active: false, size: 0 });

let keyferry: Keyferry;
const { round, reconcile, supply, shown, patches, isGameOf, row, alerts, different, requests, jobsAreDue } =
  publishingSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startPublishing();
});
afterAll(() => keyferry.stop());

describe('the publisher', () => {
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
    await jobsAreDue();
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
    await jobsAreDue();
    await keyferry.sync();
    expect(shown(10)).toEqual(OFF);
    expect(await row(10)).toMatchObject({ failure_count: 1, last_error: expect.stringContaining('BR02') });
    await jobsAreDue();
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
    await jobsAreDue();
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
    await jobsAreDue();
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
});
