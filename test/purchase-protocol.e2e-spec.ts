import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { MatchSupplierOrdersService } from '../src/orders/match-supplier-orders.service.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { SettlePurchaseService } from '../src/orders/settle-purchase.service.js';
import { TryLookupsService } from '../src/orders/try-lookups.service.js';
import { WatchPendingService } from '../src/orders/watch-pending.service.js';
import { runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { type PurchaseRow, purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8];
const POST = 'POST /v3/orders';
const NOWHERE = 'http://127.0.0.1:9';

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry({
    environment: { PURCHASE_SETTLE_SECONDS: '1', PURCHASE_RESET_SETTLE_SECONDS: '1' },
  });
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

const { buy, sold, sent, purchases, stateOf, until, openAlerts } = purchaseSteps(() => keyferry);

describe('a purchase that nobody answered', () => {
  beforeEach(async () => {
    await keyferry.sql('DELETE FROM purchase_lookups');
  });

  /** Both look-ups have found a purchase that exists. */
  async function proveLookups(): Promise<void> {
    await keyferry.customer.waitForKeys(await buy(1), 1, 20_000);
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    expect(await keyferry.sql('SELECT way FROM purchase_lookups WHERE found_at IS NOT NULL ORDER BY 1')).toEqual([
      { way: 'by_history' },
      { way: 'by_id' },
    ]);
  }

  it('is never sent again while the look-ups have not proven themselves', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(2);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(sent(2)).toHaveLength(1);
    expect(await purchases(orderId)).toMatchObject([{ state: 'unknown', send_count: 1 }]);
  });

  it('is sent again, under the same id, once it is settled and neither look-up knows it', async () => {
    await proveLookups();
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(3);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const [purchase] = await purchases(orderId);
    expect(purchase).toMatchObject({ state: 'completed', send_count: 2 });
    expect(sent(3)).toEqual([purchase!.client_order_id, purchase!.client_order_id]);
    expect(sold(3)).toHaveLength(1);
  });

  it('is not dead when CWS refuses the repeat: nobody knows what the first one did', async () => {
    await proveLookups();
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(4);
    await until(async () => (await purchases(orderId))[0]?.state === 'unknown');
    keyferry.cws.traffic.behaviors.set({ name: 'sellsOutMidOrder', subject: cwsProductId(4) });
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(await purchases(orderId)).toMatchObject([{ state: 'unknown', send_count: 3 }]);
    expect(new Set(sent(4)).size).toBe(1);
    expect(sold(4)).toEqual([]);
  });

  it('waits for a person once a look-up has missed an order that exists', async () => {
    await proveLookups();
    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(1), times: 1 });
    await keyferry.customer.waitForKeys(await buy(1), 1, 20_000);
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    expect(await openAlerts()).toContainEqual(
      expect.objectContaining({
        kind: 'purchase_lookup_missed',
        message: expect.stringContaining('by_id, by_history'),
      }),
    );
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(5);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(sent(5)).toHaveLength(1);
  });

  it('is not judged before what was sent can have arrived, whoever asks', async () => {
    await proveLookups();
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(6);
    await until(async () => (await purchases(orderId))[0]?.state === 'unknown');
    const [{ id }] = (await purchases(orderId)) as [PurchaseRow];
    await keyferry.sql(`UPDATE purchases SET settles_at = now() + interval '1 hour' WHERE id = $1`, [id]);
    const polling = keyferry.app.get(PollPurchaseService, { strict: false });
    await Promise.all([polling.poll(id), polling.poll(id), polling.poll(id)]);
    expect(sent(6)).toHaveLength(1);
    expect(await stateOf(orderId)).not.toBe('needs_attention');

    // Settled: of several handlers at once one sends it.
    await keyferry.sql('UPDATE purchases SET settles_at = now() WHERE id = $1', [id]);
    await Promise.all([polling.poll(id), polling.poll(id), polling.poll(id)]);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sent(6)).toHaveLength(2);
    expect(sold(6)).toHaveLength(1);
  });

  it('is not judged by a worker that slept through a later sending', async () => {
    await proveLookups();
    keyferry.cws.traffic.behaviors.set({ name: 'answersAfterCommitNever', subject: cwsProductId(7), times: 1 });
    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(7), times: 1 });
    const orderId = await buy(7);
    await until(async () => (await purchases(orderId))[0]?.state === 'unknown');
    const [{ id }] = (await purchases(orderId)) as [PurchaseRow];
    await keyferry.sql('UPDATE purchases SET send_count = 2 WHERE id = $1', [id]);
    const settling = keyferry.app.get(SettlePurchaseService, { strict: false });
    await settling.markDead({ id, sendCount: 1 }, 'late news', { isRefused: false });
    await settling.markUnsent({ id, sendCount: 1 }, 'late news', 5);
    expect(await purchases(orderId)).toMatchObject([{ state: 'unknown', send_count: 2 }]);
  });
});

describe('a purchase for which CWS has no room', () => {
  it('is sent later, and is the same one', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, times: 2, seconds: 1 });
    const orderId = await buy(8);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const all = await purchases(orderId);
    expect(all).toMatchObject([{ state: 'completed', send_count: 1 }]);
    expect(new Set(sent(8))).toEqual(new Set([all[0]!.client_order_id]));
    expect(sold(8)).toHaveLength(1);
  });
});

describe('a purchase that CWS made twice', () => {
  it('brings the customer what is owed, keeps the rest as spare, and tells a person', async () => {
    const before = sold(1).length;
    keyferry.cws.traffic.behaviors.set({ name: 'answersAfterCommitNever', subject: cwsProductId(1), times: 1 });
    const orderId = await buy(1);
    await until(async () => sold(1).length > before);
    const [purchase] = await purchases(orderId);
    keyferry.cws.orders.place({
      orderId: purchase!.client_order_id,
      products: [{ productId: cwsProductId(1), price: null, quantity: 1 }],
    });
    await until(async () => (await stateOf(orderId)) === 'completed');
    const keys = await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(keys).toHaveLength(1);
    expect(await keyferry.sql('SELECT id FROM keys WHERE purchase_id = $1', [purchase!.id])).toHaveLength(2);
    expect(await openAlerts()).toContainEqual(
      expect.objectContaining({
        kind: 'purchase_duplicated',
        message: expect.stringContaining('2 orders for one purchase'),
      }),
    );
  });
});

describe('a database that is older than what CWS has sold to it', () => {
  /** A purchase of this installation that only CWS knows. */
  async function buyBehindOurBack(reference: string): Promise<string> {
    const [{ installation_id: id }] = await keyferry.sql('SELECT installation_id FROM control_state');
    return keyferry.cws.orders.place({
      orderId: reference.replace('OURS', `KF-${id.slice(0, 8)}-`),
      products: [{ productId: cwsProductId(8), price: null, quantity: 1 }],
    }).orderId;
  }

  it('buys nothing until a person has looked into it', async () => {
    await buyBehindOurBack('made by hand');
    const cwsOrderId = await buyBehindOurBack('OURS3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02');
    // As after a start.
    const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
    Object.assign(matching, { comparison: null });
    const orderId = await buy(3);
    const before = sent(3).length;
    await until(async () => (await openAlerts()).some(({ kind }) => kind === 'supplier_orders_unmatched'));
    expect(await keyferry.sql('SELECT cws_order_id FROM unmatched_supplier_orders')).toEqual([
      { cws_order_id: cwsOrderId },
    ]);
    await sleep(500);
    expect(sent(3)).toHaveLength(before);
    expect(await purchases(orderId)).toEqual([]);

    const resolve = ['purchases', 'resolve', cwsOrderId, '--note', 'the customer has the key'];
    const variables = { ...environment(NOWHERE, NOWHERE), DATABASE_URL: keyferry.database.url };
    expect(await runCommand(variables, resolve)).toMatchObject({ code: 0 });
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect((await openAlerts()).map(({ kind }) => kind)).not.toContain('supplier_orders_unmatched');
  });

  it('buys nothing while CWS does not tell what it has sold', async () => {
    const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
    Object.assign(matching, { comparison: null });
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/orders' });
    expect(await matching.mayBuy()).toBe(false);
    keyferry.cws.traffic.behaviors.clear({});
    expect(await matching.mayBuy()).toBe(true);
  });
});

describe('many pending purchases', () => {
  it('are watched by one question, and only those are fetched that changed', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(9), { quantity: 100 });
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(9) });
    await mapGames(keyferry, [9]);
    await keyferry.sync();
    const orderIds = await Promise.all(Array.from({ length: 30 }, () => buy(9)));
    const fulfilling = async () =>
      keyferry.sql<{ id: string }[]>(`SELECT id FROM purchases WHERE state = 'fulfilling'`);
    await until(async () => (await fulfilling()).length === 30);
    const polling = keyferry.app.get(PollPurchaseService, { strict: false });
    // The program polls by itself meanwhile, and looks up purchases of other tests: it counts which of these orders are fetched.
    const pollAll = async () => {
      const before = keyferry.cws.traffic.requests().length;
      await Promise.all((await fulfilling()).map(({ id }) => polling.poll(id)));
      const requests = keyferry.cws.traffic.requests().slice(before);
      const fetched = sold(9).filter(({ orderId }) => requests.some(({ path }) => path === `/v3/orders/${orderId}`));
      return {
        history: requests.filter(({ route }) => route === 'GET /v3/orders').length,
        fetched: fetched.map(({ orderId }) => orderId),
      };
    };
    // A look at the history from before the last purchase was made would not know it.
    Object.assign(keyferry.app.get(WatchPendingService, { strict: false }), { shared: null });
    const first = await pollAll();
    expect(first.fetched).toEqual([]);
    expect(first.history).toBeLessThan(10);

    const finished = sold(9)[0]!.orderId;
    keyferry.cws.orders.finish(finished);
    // The look at the history that all have shared is over.
    Object.assign(keyferry.app.get(WatchPendingService, { strict: false }), { shared: null });
    expect((await pollAll()).fetched).toEqual([finished]);
    expect(await fulfilling()).toHaveLength(29);
    for (const order of sold(9)) keyferry.cws.orders.finish(order.orderId);
    await until(async () => (await Promise.all(orderIds.map(stateOf))).every((state) => state === 'completed'));
  });
});

describe('an order with several products', () => {
  it('goes on with the others when a person is called for one', async () => {
    await keyferry.sql(`UPDATE purchase_lookups SET missed_at = now()`);
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const items = [2, 4].map((game) => ({ productId: g2aProductId(game), quantity: 1 }));
    const reservation = await keyferry.customer.reserve(items);
    if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
    keyferry.cws.traffic.behaviors.set({ name: 'sellsOutMidOrder', subject: cwsProductId(4) });
    const order = await keyferry.customer.order(reservation.body.reservation_id);
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    const orderId = order.body.order_id;
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    keyferry.cws.traffic.behaviors.clear({});
    await until(
      async () =>
        (
          await keyferry.sql('SELECT FROM keys JOIN order_items item ON item.id = order_item_id WHERE order_id = $1', [
            orderId,
          ])
        ).length === 1,
    );
    expect(await stateOf(orderId)).toBe('needs_attention');
  });
});
