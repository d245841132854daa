import { setTimeout as sleep } from 'node:timers/promises';
import { g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { PublishOffersService } from '../src/sync/publish-offers.service.js';
import type { Keyferry } from './support/keyferry.js';
import { PRICE, publishingSteps, startPublishing } from './support/publishing-steps.js';

const OFF = expect.objectContaining({ active: false, size: 0 });

let keyferry: Keyferry;
const { round, reconcile, supply, shown, patches, row, alerts, jobsAreDue } = publishingSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startPublishing();
});
afterAll(() => keyferry.stop());

describe('offers on which G2A fails', () => {
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
      await jobsAreDue();
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
      await jobsAreDue();
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
});
