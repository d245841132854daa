import { cwsProductId } from '../sandbox/catalog.js';
import { CwsClient } from '../src/cws/cws-client.js';
import type { SupplierOrder } from '../src/cws/cws.types.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { ReopenOrderService } from '../src/orders/reopen-order.service.js';
import { TryLookupsService } from '../src/orders/try-lookups.service.js';
import { UpstreamError } from '../src/upstream/upstream-error.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { type PurchaseRow, purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const POST = 'POST /v3/orders';

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry({
    environment: { PURCHASE_SETTLE_SECONDS: '600', PURCHASE_RESET_SETTLE_SECONDS: '300' },
  });
  for (const game of GAMES) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 50 });
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
  // Both look-ups have proven themselves: what they do not find may be sent again.
  await keyferry.customer.waitForKeys(await buy(1), 1, 20_000);
  await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
  Reflect.deleteProperty(keyferry.app.get(CwsClient, { strict: false }), 'order');
});

const { buy, sold, sent, purchases, stateOf, until } = purchaseSteps(() => keyferry);

/** From now on CWS shows its orders as `change` tells. */
function show(change: (order: SupplierOrder) => SupplierOrder | null): void {
  const client = keyferry.app.get(CwsClient, { strict: false });
  Object.assign(client, {
    order: async (id: string) => {
      const order = await CwsClient.prototype.order.call(client, id);
      return order === null ? null : change(order);
    },
  });
}

const purchase = async (orderId: string): Promise<PurchaseRow> => (await purchases(orderId))[0]!;

const isNow = async (orderId: string, state: string): Promise<boolean> =>
  (await purchases(orderId))[0]?.state === state;

const keysOf = async (purchaseId: string): Promise<number> =>
  (await keyferry.sql('SELECT id FROM keys WHERE purchase_id = $1', [purchaseId])).length;

const settleNow = (id: string) => keyferry.sql('UPDATE purchases SET settles_at = now() WHERE id = $1', [id]);

const poll = (id: string): Promise<void> => keyferry.app.get(PollPurchaseService, { strict: false }).poll(id);

const alertOf = async (kind: string, subject: string): Promise<string | undefined> =>
  (await keyferry.sql('SELECT message FROM alerts WHERE kind = $1 AND subject = $2', [kind, subject]))[0]?.message;

/** CWS makes one more order under the id of a purchase. */
const placeAgain = (game: number, { client_order_id: orderId }: PurchaseRow) =>
  keyferry.cws.orders.place({ orderId, products: [{ productId: cwsProductId(game), price: null, quantity: 1 }] });

/** The answer to the purchase is lost after CWS has made it. */
async function buyWithoutAnswer(game: number): Promise<{ orderId: string; row: PurchaseRow }> {
  keyferry.cws.traffic.behaviors.set({ name: 'answersAfterCommitNever', subject: cwsProductId(game), times: 1 });
  const orderId = await buy(game);
  await until(() => isNow(orderId, 'unknown'));
  return { orderId, row: await purchase(orderId) };
}

describe('a trace of our id at CWS that is not understood', () => {
  it.each<[string, number, (order: SupplierOrder) => SupplierOrder | null]>([
    ['without products', 2, (order) => ({ ...order, lines: [] })],
    ['of another client order id', 3, (order) => ({ ...order, clientOrderId: 'somebody' })],
    ['that the history lists and the details do not show', 4, () => null],
  ])('%s: is never taken for an absence', async (_name, game, change) => {
    show((order) => (order.lines[0]?.cwsProductId === cwsProductId(game) ? change(order) : order));
    const { orderId, row } = await buyWithoutAnswer(game);
    await settleNow(row.id);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(sent(game)).toHaveLength(1);
    expect((await purchases(orderId)).map(({ state }) => state)).toEqual(['unknown']);
    const [{ attention_reason: reason }] = await keyferry.sql('SELECT attention_reason FROM orders WHERE id = $1', [
      orderId,
    ]);
    expect(reason).toContain('our id');

    Reflect.deleteProperty(keyferry.app.get(CwsClient, { strict: false }), 'order');
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sold(game)).toHaveLength(1);
  });
});

describe('an order that CWS took back', () => {
  it('is not given up while a code that it lists cannot be read', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(5), times: 1 });
    show((order) => ({
      ...order,
      status: 'cancelled',
      lines: order.lines.map((line) => ({
        ...line,
        codes: [{ codeId: 'listed', kind: 'text', value: null, fileName: null }],
      })),
    }));
    const orderId = await buy(5);
    await until(() => isNow(orderId, 'fulfilling'));
    const { id } = await purchase(orderId);
    await poll(id);
    await poll(id);
    expect((await purchase(orderId)).state).toBe('fulfilling');

    show((order) => ({
      ...order,
      status: 'cancelled',
      lines: order.lines.map((line) => ({
        ...line,
        codes: [{ codeId: 'listed', kind: 'text', value: 'PAID-FOR', fileName: null }],
      })),
    }));
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sent(5)).toHaveLength(1);
    expect(await keysOf(id)).toBe(1);
  });

  it('is read once more, and is not over while CWS does not confirm it', async () => {
    let isShown = false;
    show((order) => (isShown ? order : null));
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(6), times: 1 });
    const orderId = await buy(6);
    await until(() => isNow(orderId, 'fulfilling'));
    isShown = true;
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect((await purchases(orderId)).map(({ state }) => state)).toEqual(['dead', 'completed']);
  });
});

describe('a purchase that CWS made twice', () => {
  it('is live as long as the second order runs, though the first was taken back', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(7), times: 1 });
    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(7), times: 1 });
    const { orderId, row } = await buyWithoutAnswer(7);
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(7), times: 1 });
    const second = placeAgain(7, row);
    // Both appear at once.
    Object.assign(ordersOf(row)[0]!, { appearsAtMs: 0 });
    await until(() => isNow(orderId, 'fulfilling'));
    await poll(row.id);
    expect(await purchase(orderId)).toMatchObject({ state: 'fulfilling' });
    expect(await alertOf('purchase_duplicated', row.id)).toContain('2 orders for one purchase');
    keyferry.cws.orders.finish(second.orderId);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sent(7)).toHaveLength(1);
  });

  it('delivers when the first order has come, and still fetches what the second brings', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(8), times: 1 });
    const { orderId, row } = await buyWithoutAnswer(8);
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(8), times: 1 });
    const second = placeAgain(8, row);
    Object.assign(ordersOf(row)[0]!, { appearsAtMs: 0 });
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await purchase(orderId)).toMatchObject({ state: 'fulfilling' });
    keyferry.cws.orders.finish(second.orderId);
    await until(() => isNow(orderId, 'completed'));
    expect(await keysOf(row.id)).toBe(2);
    expect(await keyferry.customer.waitForKeys(orderId, 1, 5_000)).toHaveLength(1);
  });

  it('is found out later too, when it was sent twice', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(9);
    await until(() => isNow(orderId, 'unknown'));
    await settleNow((await purchase(orderId)).id);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const row = await purchase(orderId);
    expect(row).toMatchObject({ state: 'completed', send_count: 2, watched_until: expect.any(Date) });

    placeAgain(9, row);
    await poll(row.id);
    expect(await keysOf(row.id)).toBe(2);
    expect((await purchase(orderId)).other_cws_order_ids).toHaveLength(1);
    expect(await alertOf('purchase_duplicated', row.id)).toContain('2 orders');
    expect(await alertOf('spare_keys', orderId)).toContain('when it was over (completed)');
  });

  it('is found out by the trial of the look-ups', async () => {
    const orderId = await buy(10);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const row = await purchase(orderId);
    placeAgain(10, row);
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    await until(async () => (await keysOf(row.id)) === 2);
    expect(await alertOf('purchase_duplicated', row.id)).toContain('2 orders');
  });
});

describe('a purchase that a person gave up', () => {
  it('is not given up while something that was sent can still arrive', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(11);
    await until(() => isNow(orderId, 'unknown'));
    const { id } = await purchase(orderId);
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention' WHERE id = $1`, [orderId]);
    const reopen = () => keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test');
    await expect(reopen()).rejects.toMatchObject({ status: 409, code: 'purchase_not_waiting' });
    expect(await purchases(orderId)).toMatchObject([{ id, state: 'unknown', send_count: 1 }]);
    expect(await stateOf(orderId)).toBe('needs_attention');
    await settleNow(id);
    await reopen();
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await purchases(orderId)).toMatchObject([{ id, state: 'dead' }, { state: 'completed' }]);
    expect(sold(11)).toHaveLength(1);
  });

  it('is watched: a key that comes after all is stored as spare, and a person hears of it', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(12);
    await until(() => isNow(orderId, 'unknown'));
    const { id } = await purchase(orderId);
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention' WHERE id = $1`, [orderId]);
    await settleNow(id);
    await keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test');
    await until(async () => (await stateOf(orderId)) === 'completed');
    const row = await purchase(orderId);
    expect(row).toMatchObject({ state: 'dead', watched_until: expect.any(Date) });

    placeAgain(12, row);
    await poll(id);
    expect(await purchase(orderId)).toMatchObject({ state: 'dead', cws_order_id: expect.any(String) });
    expect(await keysOf(id)).toBe(1);
    expect(await alertOf('spare_keys', orderId)).toContain('when it was over (dead)');
    expect(await alertOf('purchase_duplicated', id)).toContain('which had been given up');
    expect(await keyferry.customer.waitForKeys(orderId, 1, 5_000)).toHaveLength(1);
  });
});

describe('a purchase that a gateway answered', () => {
  it('is settled no sooner than one that nobody answered: CWS may still be at work', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: POST, times: 1 });
    const orderId = await buy(2);
    await until(() => isNow(orderId, 'unknown'));
    expect((await purchase(orderId)).settles_in).toBeGreaterThan(599);
    await settleNow((await purchase(orderId)).id);
    await until(async () => (await stateOf(orderId)) === 'completed');
  });
});

describe('the trial of the look-ups', () => {
  it('goes on with the others when one order cannot be read', async () => {
    const [first, second] = [await buy(3), await buy(3)];
    await until(async () => (await stateOf(first)) === 'completed' && (await stateOf(second)) === 'completed');
    const broken = (await purchase(first)).cws_order_id;
    show((order) => {
      if (order.cwsOrderId !== broken) return order;
      throw new UpstreamError({ system: 'cws', kind: 'unknown', subject: 'GET order', reason: 'not understood' });
    });
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    const checked = async (orderId: string) =>
      (await keyferry.sql('SELECT lookups_checked_at FROM purchases WHERE id = $1', [(await purchase(orderId)).id]))[0]
        .lookups_checked_at;
    expect(await checked(first)).toBeNull();
    expect(await checked(second)).not.toBeNull();
  });
});

describe('a code that was stored for another purchase', () => {
  it('is told to a person', async () => {
    const earlier = await buy(4);
    await until(async () => (await stateOf(earlier)) === 'completed');
    const [{ cws_code_id: codeId }] = await keyferry.sql('SELECT cws_code_id FROM keys WHERE purchase_id = $1', [
      (await purchase(earlier)).id,
    ]);
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(4), times: 1 });
    const orderId = await buy(4);
    await until(() => isNow(orderId, 'fulfilling'));
    const { id, client_order_id: reference } = await purchase(orderId);
    show((order) =>
      order.clientOrderId !== reference
        ? order
        : {
            ...order,
            status: 'completed',
            lines: order.lines.map((line) => ({
              ...line,
              codes: [{ codeId, kind: 'text', value: 'AGAIN', fileName: null }],
            })),
          },
    );
    await poll(id);
    expect(await alertOf('code_sold_twice', id)).toContain(codeId);
    expect((await purchase(orderId)).state).toBe('fulfilling');
  });
});

/** The sandbox's own orders under the id of a purchase, in the order in which they were made. */
function ordersOf({ client_order_id: reference }: PurchaseRow): { clientOrderId: string }[] {
  const all = Reflect.get(keyferry.cws.orders, 'orders') as { clientOrderId: string }[];
  return all.filter(({ clientOrderId }) => clientOrderId === reference);
}
