import { cwsProductId } from '../sandbox/catalog.js';
import type { SoldCode } from '../sandbox/cws-orders.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { type PurchaseRow, purchaseSteps } from './support/purchase-steps.js';

let keyferry: Keyferry;
const { buy, sold, sent, purchases, stateOf, until, openAlerts } = purchaseSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry();
  for (const game of [1, 2]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 50 });
  await mapGames(keyferry, [1, 2]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

const purchase = async (orderId: string): Promise<PurchaseRow> => (await purchases(orderId))[0]!;

const poll = (id: string): Promise<void> => keyferry.app.get(PollPurchaseService, { strict: false }).poll(id);

const alertsAbout = async (subject: string): Promise<string[]> =>
  (await openAlerts()).filter((alert) => alert.subject === subject).map(({ kind }) => kind);

const keysOf = async (purchaseId: string): Promise<number> =>
  (await keyferry.sql('SELECT id FROM keys WHERE purchase_id = $1', [purchaseId])).length;

/** The codes that CWS has sold of a game, which are the sandbox's own: a change of one is a change at CWS. */
const soldCodes = (game: number): SoldCode[] => sold(game).flatMap(({ lines }) => lines.flatMap((line) => line.codes));

describe('a pre-order whose code keeps its type', () => {
  it('is delivered when its key comes, and never the placeholder in its place', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'preorderCodesKeepType', subject: cwsProductId(1), times: 1 });
    const orderId = await buy(1);
    await until(async () => (await purchases(orderId))[0]?.state === 'fulfilling');
    const { id, client_order_id: reference } = await purchase(orderId);
    await poll(id);
    expect(await keysOf(id)).toBe(0);
    expect(await alertsAbout(id)).toEqual(['preorder_code']);

    keyferry.cws.orders.finish(reference);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const [{ code }] = soldCodes(1) as [SoldCode];
    expect(await keyferry.customer.waitForKeys(orderId, 1, 20_000)).toMatchObject([{ kind: 'text', value: code }]);
    expect(await alertsAbout(id)).toEqual([]);
    expect(sent(1)).toHaveLength(1);
  });
});

describe('a code of a type that is not known', () => {
  it('waits, with a person told, while the codes beside it are delivered', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'unknownTypeOfLastCode', subject: cwsProductId(2), times: 1 });
    const orderId = await buy(2, 2);
    await until(async () => soldCodes(2).length === 2);
    const [readable, odd] = soldCodes(2) as [SoldCode, SoldCode];
    expect(await keyferry.customer.waitForKeys(orderId, 1, 20_000)).toMatchObject([{ value: readable.code }]);
    const { id, state } = await purchase(orderId);
    expect(state).toBe('fulfilling');
    expect(await alertsAbout(id)).toEqual(['code_unreadable']);
    expect((await openAlerts()).find(({ subject }) => subject === id)?.message).toContain(odd.codeId);

    odd.codeType = 'CODE_TEXT';
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await keyferry.customer.waitForKeys(orderId, 2, 20_000)).toHaveLength(2);
    expect(await alertsAbout(id)).toEqual([]);
    expect(sent(2)).toHaveLength(1);
  });
});
