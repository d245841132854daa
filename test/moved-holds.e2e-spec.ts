import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { ReopenOrderService } from '../src/orders/reopen-order.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { purchaseSteps } from './support/purchase-steps.js';
import { refused } from './support/reservation-steps.js';

const POST = 'POST /v3/orders';

let keyferry: Keyferry;
const { sold, sent, purchases, stateOf, until } = purchaseSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry({
    environment: { PURCHASE_SETTLE_SECONDS: '600', PURCHASE_RESET_SETTLE_SECONDS: '300' },
  });
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

function stock(game: number, quantity: number, cost: number): void {
  keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices: [{ value: cost, from: 1, to: null }] });
}

/**
 * Product `game` is held at its own supplier, `times` over, for reservations that are returned; only then its second supplier has its last key,
 * cheaper. The second supplier's own product is served by nobody else.
 */
async function reserveBeforeLastKey(game: number, second: number, times: number): Promise<string[]> {
  stock(game, 20, 6.32);
  stock(second, 0, 6);
  await mapGames(keyferry, [game, second]);
  await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
    g2aProductId(game),
    cwsProductId(second),
  ]);
  await keyferry.sync();
  const reservations = [];
  for (let made = 0; made < times; made += 1) {
    const answer = await keyferry.customer.reserve([{ productId: g2aProductId(game), quantity: 1 }]);
    if (!answer.ok) throw new Error(`not reserved: ${JSON.stringify(answer)}`);
    reservations.push(answer.body.reservation_id);
  }
  stock(second, 1, 6);
  await keyferry.sync();
  return reservations;
}

async function pay(reservationId: string): Promise<string> {
  const answer = await keyferry.customer.order(reservationId);
  if (!answer.ok) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.body.order_id;
}

/** [game of the supplier product, pieces] owed to an order. */
const owedHolds = async (orderId: string): Promise<[string, number][]> => {
  const rows: { product: string; quantity: number }[] = await keyferry.sql(
    `SELECT cws_product_id AS product, hold.quantity FROM stock_holds hold
     JOIN order_items item ON item.id = reservation_item_id WHERE order_id = $1 AND hold.state = 'owed'`,
    [orderId],
  );
  return rows.map(({ product, quantity }) => [product, quantity]);
};

describe('a paid order that is bought at another supplier than it was held at', () => {
  it("has that supplier's last key to itself while CWS does not answer", async () => {
    const [reservation] = await reserveBeforeLastKey(1, 2, 1);
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, subject: cwsProductId(2), hangs: true });
    const orderId = await pay(reservation!);
    await until(async () => Promise.resolve(sent(2).length === 1), { isHurried: false });
    expect(await owedHolds(orderId)).toEqual([[cwsProductId(2), 1]]);

    // CWS itself still shows the key: nobody else may be promised it.
    const other = await keyferry.customer.reserve([{ productId: g2aProductId(2), quantity: 1 }]);
    expect(other).toMatchObject(refused(400, 'insufficient_stock'));

    // A person finds out that CWS never got it; the key is bought after all, and nothing stays held.
    await until(async () => (await purchases(orderId))[0]?.state === 'unknown');
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention', attention_reason = 'a test' WHERE id = $1`, [
      orderId,
    ]);
    await keyferry.sql(`UPDATE purchases SET settles_at = now() WHERE state = 'unknown'`);
    keyferry.cws.traffic.behaviors.clear({});
    await keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test');
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect([await owedHolds(orderId), sold(2).length, sold(1).length]).toEqual([[], 1, 0]);
  });
});

describe('two paid orders that would both buy the last key of a supplier', () => {
  it('are served by different ones: the key is asked for once, and nothing stays held', async () => {
    const reservations = await reserveBeforeLastKey(3, 4, 2);
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 500, route: POST });
    const orders = await Promise.all(reservations.map(pay));
    await until(async () => (await Promise.all(orders.map(stateOf))).every((state) => state === 'completed'), {
      isHurried: false,
    });
    expect([sent(4).length, sent(3).length]).toEqual([1, 1]);
    expect([sold(4).length, sold(3).length]).toEqual([1, 1]);
    expect(await Promise.all(orders.map(owedHolds))).toEqual([[], []]);
  });

  it('do not promise it twice when there is no other: one waits, and is served when there is stock again', async () => {
    const reservations = await reserveBeforeLastKey(5, 6, 2);
    stock(5, 0, 6.32);
    await keyferry.sync();
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 500, route: POST });
    const orders = await Promise.all(reservations.map(pay));
    await until(async () => (await Promise.all(orders.map(stateOf))).includes('completed'), { isHurried: false });
    const states = await Promise.all(orders.map(stateOf));
    const waiting = orders[states.findIndex((state) => state !== 'completed')]!;
    expect([sent(6).length, await owedHolds(waiting)]).toEqual([1, [[cwsProductId(5), 1]]]);

    stock(5, 1, 6.32);
    await keyferry.sync();
    await until(async () => (await stateOf(waiting)) === 'completed');
    expect([sent(6).length, sold(5).length]).toEqual([1, 1]);
    expect(await Promise.all(orders.map(owedHolds))).toEqual([[], []]);
  });
});
