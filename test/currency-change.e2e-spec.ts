import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { purchaseSteps } from './support/purchase-steps.js';

/** CWS asks so much for each of them, in whatever its account's currency is. */
const GAMES = [1, 2, 3];
const FETCHING = ['GET /v3/products', 'GET /v3/products/:productId'];

let keyferry: Keyferry;
let reservationId: string;
const { purchases, until } = purchaseSteps(() => keyferry);

async function restart(currency: string): Promise<void> {
  await keyferry.app.close();
  keyferry = await startKeyferry({ restarts: keyferry, environment: { CWS_TARGET_CURRENCY: currency } });
}

const ask = (price: number, games = GAMES): void => {
  const prices = [{ value: price, from: 1, to: null }];
  for (const game of games) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 20, prices });
};
const reserve = (game: number) => keyferry.customer.reserve([{ productId: g2aProductId(game), quantity: 1 }]);
const shown = (game: number) => {
  const { active, size, retailCents } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
  return { active, size, retailCents };
};
const changes = (): Promise<unknown[]> =>
  keyferry.sql(`SELECT actor, details FROM audit_log WHERE action = 'control.currency_changed' ORDER BY id`);

beforeAll(async () => {
  keyferry = await startKeyferry({ cws: { products: 5 } });
  ask(5.4);
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
  const reservation = await reserve(3);
  if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
  reservationId = reservation.body.reservation_id;
  // A price that is not believed yet is one of the old currency too.
  ask(100, [2]);
  await keyferry.sync();
  await keyferry.sql(`INSERT INTO exchange_rates (currency, rate) VALUES ('GBP', 1.17)`);
});
afterAll(() => keyferry.stop());

describe('prices of CodesWholesale after CWS_TARGET_CURRENCY was changed', () => {
  beforeAll(async () => {
    expect(shown(1)).toMatchObject({ active: true });
    for (const route of FETCHING) keyferry.cws.traffic.behaviors.set({ name: 'answers500', route });
    await restart('GBP');
  });

  it('are forgotten, on the record', async () => {
    expect(await changes()).toEqual([{ actor: 'sync', details: { from: 'EUR', to: 'GBP', products: 3 } }]);
    expect(
      await keyferry.sql(`SELECT DISTINCT price_bands, unconfirmed_price_bands, requested_at FROM supplier_products`),
    ).toEqual([{ price_bands: [], unconfirmed_price_bands: null, requested_at: new Date(0) }]);
  });

  it('neither sell nor are reserved by until CodesWholesale was asked anew', async () => {
    expect(shown(1)).toMatchObject({ active: false, size: 0 });
    expect(await keyferry.sql('SELECT DISTINCT desired_reason AS reason FROM offers')).toContainEqual({
      reason: 'stale',
    });
    expect(await reserve(1)).toMatchObject({ status: 503, error: { code: 'stock_unknown' } });
  });

  it('buy nothing for an order that is paid meanwhile; the new price does, as soon as it is known', async () => {
    const order = await keyferry.customer.order(reservationId);
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    const { order_id: orderId } = order.body;
    const failing = () => keyferry.cws.traffic.requests().filter(({ route }) => FETCHING.includes(route)).length;
    const before = failing();
    await until(async () => Promise.resolve(failing() > before));
    expect(await purchases(orderId)).toEqual([]);

    ask(3);
    keyferry.cws.traffic.behaviors.clear({});
    await until(async () => (await purchases(orderId)).length > 0);
    expect(await purchases(orderId)).toMatchObject([{ price_cap_cents: 300 }]);
  });

  it('are replaced by what CodesWholesale asks then, which no former price makes suspicious', async () => {
    ask(54);
    await keyferry.sync();
    // 54.00 x 1.17 = 63.18; (63.18 + 0.50) / 0.85 = 74.918.
    expect(shown(1)).toEqual({ active: true, size: 20, retailCents: 7492 });
  });

  it('stay when it starts again with the same currency', async () => {
    await restart('GBP');
    expect(await changes()).toHaveLength(1);
    expect(shown(1)).toEqual({ active: true, size: 20, retailCents: 7492 });
  });
});
