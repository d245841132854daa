import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { PurchaseOrderService } from '../src/orders/purchase-order.service.js';
import { ReopenOrderService } from '../src/orders/reopen-order.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const POST = 'POST /v3/orders';

let keyferry: Keyferry;
const { buy, stateOf, until, keepUnsent } = purchaseSteps(() => keyferry);

const slow = cwsProductId;
const other = cwsAlternativeProductId;

/** Of every game two pieces at the cheapest supplier, and many at a dearer one: three are bought in two parts. */
beforeAll(async () => {
  keyferry = await startKeyferry({
    cws: { products: 20, alternatives: 20 },
    environment: { PURCHASE_SETTLE_SECONDS: '600', PURCHASE_RESET_SETTLE_SECONDS: '300' },
  });
  for (const game of GAMES) {
    stock(slow(game), 2, 6.32);
    stock(other(game), 20, 6.5);
  }
  await mapGames(keyferry, GAMES);
  await keyferry.sql('INSERT INTO product_mapping_suppliers SELECT *, 1 FROM unnest($1::bigint[], $2::uuid[])', [
    GAMES.map(g2aProductId),
    GAMES.map(other),
  ]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

function stock(productId: string, quantity: number, cost: number): void {
  keyferry.cws.supplier.setProduct(productId, { quantity, prices: [{ value: cost, from: 1, to: null }] });
}

/** [supplier product, pieces, state] of each purchase of an order, the oldest first. */
const parts = async (orderId: string): Promise<[string, number, string][]> => {
  const rows: { product: string; quantity: number; state: string }[] = await keyferry.sql(
    `SELECT cws_product_id AS product, purchase.quantity, purchase.state
     FROM purchases purchase JOIN order_items item ON item.id = order_item_id
     WHERE order_id = $1 ORDER BY purchase.created_at`,
    [orderId],
  );
  return rows.map(({ product, quantity, state }) => [product, quantity, state]);
};

const partAt = async (orderId: string, productId: string): Promise<string | undefined> =>
  (await parts(orderId)).find(([product]) => product === productId)?.[2];

const purchaseAt = async (productId: string): Promise<{ id: string; client_order_id: string }> =>
  (await keyferry.sql('SELECT * FROM purchases WHERE cws_product_id = $1', [productId]))[0];

/** Pieces of these products that CWS has sold. */
const piecesSold = (...productIds: string[]): number =>
  keyferry.cws.orders
    .ledger()
    .orders.filter(({ end }) => end === 'Completed')
    .flatMap(({ lines }) => lines)
    .filter(({ productId }) => productIds.includes(productId))
    .reduce((sum, { quantity }) => sum + quantity, 0);

const keysOf = async (orderId: string): Promise<number> =>
  (
    await keyferry.sql('SELECT FROM keys WHERE order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)', [
      orderId,
    ])
  ).length;

const owedHolds = (orderId: string): Promise<{ product: string; quantity: number }[]> =>
  keyferry.sql(
    `SELECT cws_product_id AS product, sum(hold.quantity)::integer AS quantity FROM stock_holds hold
     JOIN order_items item ON item.id = reservation_item_id WHERE order_id = $1 AND hold.state = 'owed'
     GROUP BY 1 ORDER BY 1`,
    [orderId],
  );

const advance = (orderId: string): Promise<void> =>
  keyferry.app.get(PurchaseOrderService, { strict: false }).advance(orderId);

const poll = async (productId: string): Promise<void> =>
  keyferry.app.get(PollPurchaseService, { strict: false }).poll((await purchaseAt(productId)).id);

const passDeadline = (orderId: string): Promise<unknown> =>
  keyferry.sql('UPDATE orders SET deadline_at = now() WHERE id = $1', [orderId]);

const reasonOf = async (orderId: string): Promise<string> =>
  (await keyferry.sql('SELECT attention_reason AS reason FROM orders WHERE id = $1', [orderId]))[0].reason;

const unhurried = { isHurried: false };

describe('a quantity that two suppliers share', () => {
  it('has one part bought and delivered at once while the supplier of the other is slow', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: slow(1) });
    const orderId = await buy(1, 3);
    await keyferry.customer.waitForKeys(orderId, 1, 15_000);
    expect(await parts(orderId)).toEqual([
      [slow(1), 2, 'fulfilling'],
      [other(1), 1, 'completed'],
    ]);
    expect([await stateOf(orderId), await owedHolds(orderId)]).toEqual(['fulfilling', []]);

    keyferry.cws.orders.finish((await purchaseAt(slow(1))).client_order_id);
    await poll(slow(1));
    expect(await stateOf(orderId)).toBe('completed');
    expect(await keyferry.customer.waitForKeys(orderId, 3, 1_000)).toHaveLength(3);
    expect(piecesSold(slow(1), other(1))).toBe(3);
  });

  it('has one part bought while the request for the other hangs', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, subject: slow(2), hangs: true });
    const orderId = await buy(2, 3);
    await until(async () => (await partAt(orderId, other(2))) === 'completed', unhurried);
    expect(await partAt(orderId, slow(2))).toBe('intended');
    expect(await owedHolds(orderId)).toEqual([{ product: slow(2), quantity: 2 }]);
  });

  it('keeps the part that came when the other one fails, and has that bought elsewhere', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: slow(3) });
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: slow(3) });
    const orderId = await buy(3, 3);
    const [first] = await keyferry.customer.waitForKeys(orderId, 1, 15_000);
    keyferry.cws.orders.finish((await purchaseAt(slow(3))).client_order_id);
    await poll(slow(3));
    expect(await partAt(orderId, slow(3))).toBe('dead');
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await parts(orderId)).toEqual([
      [slow(3), 2, 'dead'],
      [other(3), 1, 'completed'],
      [other(3), 2, 'completed'],
    ]);
    expect(await keyferry.customer.waitForKeys(orderId, 3, 1_000)).toContainEqual(first);
    expect([piecesSold(other(3)), await owedHolds(orderId)]).toEqual([3, []]);
  });
});

describe('what one purchase is to bring', () => {
  it.each([
    ['intended and not sent', 4, 'answers429', 'intended'],
    ['of unknown outcome', 5, 'losesRequest', 'unknown'],
    ['accepted', 6, 'fulfillsAfterSeconds', 'fulfilling'],
  ] as const)('is bought nowhere else while that one is %s, however often the order is looked at', async (...row) => {
    const [, game, name, state] = row;
    // A 429 stops every purchase for its time, so it is a short one, and this part alone is told to wait for longer.
    const isRefused = name === 'answers429';
    keyferry.cws.traffic.behaviors.set({
      name,
      subject: slow(game),
      ...(isRefused ? { route: POST, times: 1 } : { seconds: 600 }),
    });
    const orderId = await buy(game, 3);
    if (isRefused) await keepUnsent(orderId, slow(game));
    await until(async () => (await partAt(orderId, other(game))) === 'completed', unhurried);
    await until(async () => (await partAt(orderId, slow(game))) === state, unhurried);
    for (let look = 1; look <= 3; look += 1) await Promise.all([advance(orderId), advance(orderId)]);
    expect(await parts(orderId)).toEqual([
      [slow(game), 2, state],
      [other(game), 1, 'completed'],
    ]);
    expect([piecesSold(other(game)), await keysOf(orderId)]).toEqual([1, 1]);
  });

  it('is bought once by eight handlers at once', async () => {
    const games = [7, 8, 9];
    for (const game of games) {
      keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: slow(game) });
      keyferry.cws.traffic.behaviors.set({
        name: 'answersSlowly',
        milliseconds: 100,
        route: POST,
        subject: slow(game),
      });
    }
    const orders = await Promise.all(games.map((game) => buy(game, 3)));
    for (let look = 1; look <= 4; look += 1) {
      await Promise.all(orders.flatMap((orderId) => Array.from({ length: 8 }, () => advance(orderId))));
    }
    await until(async () => (await Promise.all(orders.map(keysOf))).every((keys) => keys === 1));
    for (const [index, game] of games.entries()) {
      expect(await parts(orders[index]!)).toEqual([
        [slow(game), 2, 'fulfilling'],
        [other(game), 1, 'completed'],
      ]);
      expect(piecesSold(slow(game), other(game))).toBe(3);
    }
  });

  it('ends unsent when the other parts are to bring all that is owed', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: slow(10) });
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, subject: other(10) });
    const orderId = await buy(10, 3);
    await until(async () => (await partAt(orderId, slow(10))) === 'fulfilling', unhurried);
    await keepUnsent(orderId, other(10));
    // As when a purchase that was given up brings its key after all.
    await keyferry.sql('UPDATE order_items SET quantity = 2 WHERE order_id = $1', [orderId]);
    await poll(slow(10));
    expect(await parts(orderId)).toEqual([
      [slow(10), 2, 'fulfilling'],
      [other(10), 1, 'dead'],
    ]);
    keyferry.cws.orders.finish((await purchaseAt(slow(10))).client_order_id);
    await poll(slow(10));
    expect([await stateOf(orderId), await owedHolds(orderId), piecesSold(other(10))]).toEqual(['completed', [], 0]);
  });
});

describe('a part that nobody could sell in time', () => {
  it('is told beside the one that is late, and bought when a person says so, also beside a pre-order', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'preorderCodes', subject: slow(11) });
    keyferry.cws.traffic.behaviors.set({ name: 'sellsOutMidOrder', subject: other(11) });
    const orderId = await buy(11, 3);
    await until(async () => (await partAt(orderId, other(11))) === 'dead');
    await passDeadline(orderId);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    await until(async () =>
      /^purchase KF-\S+ has no key by the deadline \(CWS sold a pre-order\)\. product \d+: 1 of 3 keys could not be bought in time: .*310003/.test(
        await reasonOf(orderId),
      ),
    );
    // The program itself does not try again after the deadline.
    keyferry.cws.traffic.behaviors.clear({});
    await advance(orderId);
    expect(piecesSold(other(11))).toBe(0);

    await keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test');
    await keyferry.customer.waitForKeys(orderId, 1, 15_000);
    expect([await partAt(orderId, slow(11)), piecesSold(other(11))]).toEqual(['fulfilling', 1]);
    expect(await stateOf(orderId)).toBe('fulfilling');
  });

  it('is held once for each piece that is owed, when both parts are given up', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds' });
    const orderId = await buy(12, 3);
    await until(async () => (await parts(orderId)).every(([, , state]) => state === 'fulfilling'), unhurried);
    await until(async () => (await parts(orderId)).length === 2, unhurried);
    await until(async () => (await partAt(orderId, other(12))) === 'fulfilling', unhurried);
    expect(await owedHolds(orderId)).toEqual([]);
    await passDeadline(orderId);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    // As when a key has come late.
    await keyferry.sql('UPDATE order_items SET quantity = 2 WHERE order_id = $1', [orderId]);
    keyferry.cws.traffic.behaviors.clear({});
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, seconds: 600 });
    const references = [(await purchaseAt(slow(12))).id, (await purchaseAt(other(12))).id];
    await keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test', references);
    expect((await owedHolds(orderId)).reduce((sum, { quantity }) => sum + quantity, 0)).toBe(2);
  });
});
