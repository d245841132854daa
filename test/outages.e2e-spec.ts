import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { cwsProductId, g2aOfferId } from '../sandbox/catalog.js';
import { G2aClient } from '../src/g2a/g2a-client.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const GAMES = [1, 2, 3, 4, 5];
const PATCH = 'PATCH /v3/sales/offers/:offerId';
const OFF = expect.objectContaining({ active: false, size: 0 });

let keyferry: Keyferry;

const supply = (game: number, { quantity, price }: { quantity?: number; price?: number }): void => {
  const prices = price === undefined ? undefined : [{ value: price, from: 1, to: null }];
  keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices });
};
const shown = (game: number) => keyferry.g2a.marketplace.offer(g2aOfferId(game));
const asked = (route: string): number => keyferry.g2a.traffic.requests().filter((one) => one.route === route).length;
/** The games whose offers were changed since the log was emptied, in this order. */
const changed = (): number[] =>
  keyferry.g2a.traffic
    .requests()
    .flatMap(({ route, path }) => (route === PATCH ? [Number(decodeURIComponent(path).slice(-12))] : []));
const openAlerts = async (kind: string): Promise<number> =>
  (await keyferry.sql('SELECT 1 FROM alerts WHERE kind = $1 AND cleared_at IS NULL', [kind])).length;

/** Requests go out up to 32 at once and may overtake each other: from now on each waits for the one before it. */
function sendOneAtATime(): void {
  const g2a = keyferry.app.get(G2aClient);
  const roomForUpdate = g2a.roomForUpdate.bind(g2a);
  let given = 0;
  jest.spyOn(g2a, 'roomForUpdate').mockImplementation(async (options) => {
    while (asked(PATCH) < given) await sleep(5);
    given += 1;
    return roomForUpdate(options);
  });
}

/** One change of each kind, the most urgent ones with the highest numbers. */
function changeEverything(): void {
  supply(1, { price: 6.1 });
  supply(2, { quantity: 4 });
  supply(3, { quantity: 20 });
  // Shown is 8.03, of which 6.82 is left.
  supply(4, { price: 6.9 });
  supply(5, { quantity: 0 });
}
const BY_RISK = [5, 4, 2, 3, 1];

beforeEach(async () => {
  keyferry = await startKeyferry({ cws: { products: 5 }, g2a: { products: 5 } });
  for (const game of GAMES) supply(game, { quantity: game === 3 ? 0 : 20, price: 6.32 });
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
  await keyferry.app.get(ReconcileOffersService).readAll();
  keyferry.g2a.traffic.forget();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await keyferry.stop();
});

describe('after an outage of CWS', () => {
  it('what has changed meanwhile goes out in the order of risk; nothing did before, and people were told', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    changeEverything();
    await keyferry.sync();
    expect(changed()).toEqual([]);
    expect(await openAlerts('cws_unreachable')).toBe(1);

    keyferry.cws.traffic.behaviors.clear({});
    sendOneAtATime();
    await keyferry.sync();
    expect(changed()).toEqual(BY_RISK);
    expect(await openAlerts('cws_unreachable')).toBe(0);
  });

  it('that has made everything stale the whole listing is back by itself, but for what is sold out by now', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest' });
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '301 seconds'`);
    await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now() - interval '301 seconds'`);
    await keyferry.sync();
    expect(GAMES.map(shown)).toEqual([OFF, OFF, OFF, OFF, OFF]);
    expect(await keyferry.sql('SELECT DISTINCT desired_reason FROM offers')).toEqual([{ desired_reason: 'stale' }]);

    keyferry.cws.traffic.behaviors.clear({});
    changeEverything();
    await keyferry.sync();
    expect(GAMES.map((game) => shown(game).size)).toEqual([20, 4, 20, 20, 0]);
    expect(GAMES.map((game) => shown(game).active)).toEqual([true, true, true, true, false]);
    expect(shown(4).retailCents).toBe(871);
  });
});

describe('after an outage of G2A', () => {
  it('what has waited goes out in the order of risk, each offer once and as it should be by then', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest' });
    changeEverything();
    await keyferry.sync();
    await keyferry.sync();
    expect(await openAlerts('g2a_unreachable')).toBe(1);
    supply(1, { price: 6 });
    supply(2, { quantity: 3 });
    await keyferry.sync();

    keyferry.g2a.traffic.behaviors.clear({});
    await keyferry.sql('UPDATE offers SET retry_at = now() WHERE retry_at IS NOT NULL');
    keyferry.g2a.traffic.forget();
    sendOneAtATime();
    await keyferry.sync();
    expect(changed()).toEqual(BY_RISK);
    expect(GAMES.map((game) => shown(game).size)).toEqual([20, 3, 20, 20, 0]);
    expect(shown(5).active).toBe(false);
    expect([1, 4].map((game) => shown(game).retailCents)).toEqual([765, 871]);
    expect(await openAlerts('g2a_unreachable')).toBe(0);
  });
});
