import { jest } from '@jest/globals';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { DesiredStateService } from '../src/sync/desired-state.service.js';
import { SlowLanesService } from '../src/sync/slow-lanes.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { untilSeen } from './support/until-seen.js';

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
    await untilSeen(() => [1, 2, 3].every((game) => isActive(keyferry, game)), 'all is on sale');
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
    await untilSeen(() => !isActive(keyferry, 1), 'the sold out offer is off');
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 5 });
    await untilSeen(() => isActive(keyferry, 1), 'the restocked offer is on');
  });

  it('go on when one of them fails, tell which, and take the alert back', async () => {
    const failure = jest
      .spyOn(keyferry.app.get(DesiredStateService), 'refresh')
      .mockRejectedValue(new Error('a mistake of ours'));
    const failed = async () => (await openAlerts('sync_failed')).map(({ subject }) => subject);
    await untilSeen(async () => (await failed()).includes('refresh'), 'the alert is open');
    // The other one is what pricing does when it is woken between two turns.
    expect(['refresh', 'refresh_stored']).toEqual(expect.arrayContaining(await failed()));
    keyferry.cws.traffic.forget();
    await untilSeen(() => 'GET /v3/products' in keyferry.cws.traffic.counters(), 'the feed is read all the same');
    failure.mockRestore();
    await untilSeen(async () => (await openAlerts('sync_failed')).length === 0, 'the alert is closed');
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
    await untilSeen(async () => (await openAlerts('sync_slow')).length === 0, 'the alert is closed');
  });

  it('do not wait for each other: while CWS leaves the feed without an answer, an offer is switched off', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 8000, route: 'GET /v3/products' });
    keyferry.cws.traffic.forget();
    const asked = () => keyferry.cws.traffic.requests().filter(({ route }) => route === 'GET /v3/products');
    await untilSeen(() => asked().length > 0, 'the feed is asked');
    await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(2)]);
    await untilSeen(() => !isActive(keyferry, 2), 'the disabled offer is off');
    expect(asked()[0]).toMatchObject({ status: null });
    await keyferry.sql('UPDATE product_mappings SET is_enabled = true');
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
      await untilSeen(() => isActive(keyferry, 1), 'it is on sale');
      // CWS keeps the supply lane busy: the pause does not wait for it.
      keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 5000, route: 'GET /v3/products' });
      await pause(keyferry, true);
      await untilSeen(() => !isActive(keyferry, 1), 'it is off');
      keyferry.cws.traffic.behaviors.clear({});
      await pause(keyferry, false);
      await untilSeen(() => isActive(keyferry, 1), 'it is on sale again');
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
