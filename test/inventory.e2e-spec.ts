import { Client } from 'pg';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { type InventoryItem, nextG2aOrderId, type ProductInventory } from '../sandbox/customer.js';
import { PurchaseOrderService } from '../src/orders/purchase-order.service.js';
import { SettlePurchaseService } from '../src/orders/settle-purchase.service.js';
import { type Keyferry, mapGames, OUR_CLIENT, startKeyferry } from './support/keyferry.js';

const PATIENCE_MS = 20_000;
const PNG = Buffer.from('89504e470d0a1a0a00', 'hex');

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry({ cws: { products: 20 } });
  for (const game of [1, 2, 3, 4]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 200 });
  keyferry.cws.traffic.behaviors.set({ name: 'imageCodes', subject: cwsProductId(2) });
  keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(3) });
  await mapGames(keyferry, [1, 2, 3, 4]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());

/** Reserves and pays; our order id. */
async function order(games: Record<number, number>, g2aOrderId = nextG2aOrderId()): Promise<string> {
  const reservation = await keyferry.customer.reserve(
    Object.entries(games).map(([game, quantity]) => ({ productId: g2aProductId(Number(game)), quantity })),
  );
  if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
  const accepted = await keyferry.customer.order(reservation.body.reservation_id, g2aOrderId);
  if (!accepted.ok) throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
  return accepted.body.order_id;
}

/** The same, with all its keys. */
async function buy(game: number, quantity = 1): Promise<{ orderId: string; keys: InventoryItem[] }> {
  const orderId = await order({ [game]: quantity });
  return { orderId, keys: await keyferry.customer.waitForKeys(orderId, quantity, PATIENCE_MS) };
}

/** As a buyer sees it, without asking for it. */
async function storedKeys(
  orderId: string,
): Promise<{ id: string; delivered: string | null; returned: string | null }[]> {
  return keyferry.sql(
    `SELECT key.id, first_delivered_at::text AS delivered, returned_at::text AS returned FROM keys key
     JOIN order_items item ON item.id = order_item_id WHERE order_id = $1 ORDER BY key.created_at, key.id`,
    [orderId],
  );
}

async function audited(orderId: string, action: string): Promise<unknown[]> {
  const rows: { details: unknown }[] = await keyferry.sql(
    `SELECT details FROM audit_log WHERE subject_id = $1 AND action = $2 ORDER BY id`,
    [orderId, action],
  );
  return rows.map((row) => row.details);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The purchase of an order that CWS has accepted and not delivered. */
async function purchaseUnderWay(orderId: string): Promise<{ id: string; client_order_id: string }> {
  let rows: { id: string; client_order_id: string }[] = [];
  await until(async () => {
    rows = await keyferry.sql(
      `SELECT purchase.id, client_order_id FROM purchases purchase JOIN order_items item ON item.id = order_item_id
       WHERE order_id = $1 AND state = 'fulfilling'`,
      [orderId],
    );
    return rows.length > 0;
  });
  return rows[0]!;
}

const isStored = (orderId: string, count: number) => async () => (await storedKeys(orderId)).length === count;

function head(path: string): Promise<Response> {
  const credentials = Buffer.from(`${OUR_CLIENT.clientId}:${OUR_CLIENT.clientSecret}`).toString('base64');
  return fetch(`${keyferry.url}${path}`, { method: 'HEAD', headers: { authorization: `Basic ${credentials}` } });
}

const bought = (game: number) =>
  keyferry.cws.orders
    .ledger()
    .orders.flatMap((purchase) => purchase.lines)
    .filter((line) => line.productId === cwsProductId(game));

const takeBack = (orderId: string, query: string) =>
  keyferry.customer.call<undefined>('DELETE', `/order/${orderId}/inventory${query}`);
const idQuery = (ids: readonly string[]) => `?${ids.map((id) => `id[]=${id}`).join('&')}`;

const itemNotFound = { ok: false, status: 404, error: { code: 'item_not_found' } };

describe('an inventory', () => {
  it('is empty while the keys are to come, under our order id and under G2A’s', async () => {
    const g2aOrderId = nextG2aOrderId();
    const orderId = await order({ 3: 1 }, g2aOrderId);
    // What others can still reserve, whatever the offer is to show.
    const [{ available }] = await keyferry.sql('SELECT available FROM supplier_stock WHERE cws_product_id = $1', [
      cwsProductId(3),
    ]);
    expect(available).toBeGreaterThan(0);
    for (const reference of [orderId, orderId.toUpperCase(), String(g2aOrderId)]) {
      expect(await keyferry.customer.inventory(reference)).toMatchObject({
        status: 200,
        body: [{ product_id: g2aProductId(3), inventory_size: available, inventory: [] }],
      });
    }
  });

  it('is the same on every call, and counts as delivered once: with the first', async () => {
    const orderId = await order({ 1: 3 });
    await until(isStored(orderId, 3));
    expect((await storedKeys(orderId)).map((key) => key.delivered)).toEqual([null, null, null]);

    const answers = await Promise.all(Array.from({ length: 20 }, () => keyferry.customer.inventory(orderId)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const first = await storedKeys(orderId);
    expect(first.map((key) => key.delivered)).toEqual(Array(3).fill(expect.any(String)));

    expect(await keyferry.customer.inventory(orderId)).toEqual(answers[0]);
    expect(await storedKeys(orderId)).toEqual(first);
    expect(await audited(orderId, 'order.keys_delivered')).toEqual([{ count: 3 }]);
  });

  it('is not delivered to HEAD, which gets its headers alone', async () => {
    const orderId = await order({ 1: 1 });
    await until(isStored(orderId, 1));
    const answer = await head(`/order/${orderId}/inventory`);
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
    expect(await storedKeys(orderId)).toMatchObject([{ delivered: null }]);
    expect(await audited(orderId, 'order.keys_delivered')).toEqual([]);
  });
});

describe('a key that is a file', () => {
  const file = (orderId: string, id: string) =>
    keyferry.customer.call<{ data: string; fileName: string; mimeType: string }>(
      'GET',
      `/order/${orderId}/inventory/${id}`,
    );

  it('is listed without its value, and delivered by its own route', async () => {
    const { orderId, keys } = await buy(2);
    expect(keys).toEqual([{ id: expect.any(String), value: '', kind: 'file' }]);
    const id = keys[0]!.id;
    await head(`/order/${orderId}/inventory/${id}`);
    expect(await storedKeys(orderId)).toEqual([{ id, delivered: null, returned: null }]);

    const answer = await file(orderId, id);
    const [code] = bought(2).at(-1)!.codes;
    expect(answer).toEqual({
      ok: true,
      status: 200,
      body: { data: code!.code, fileName: code!.filename, mimeType: 'image/png' },
    });
    const [delivered] = await storedKeys(orderId);
    expect(delivered!.delivered).not.toBeNull();
    expect(await file(orderId, id.toUpperCase())).toEqual(answer);
    expect(await storedKeys(orderId)).toEqual([delivered]);
    expect(await audited(orderId, 'order.keys_delivered')).toEqual([{ count: 1 }]);
  });

  /** An order whose purchase CWS is still working on, and then ends with this one code. */
  async function bringCode(code: { value: string; fileName: string | null }): Promise<string> {
    const orderId = await order({ 3: 1 });
    const purchase = await purchaseUnderWay(orderId);
    await keyferry.app.get(SettlePurchaseService, { strict: false }).settle(purchase.id, [
      {
        cwsOrderId: purchase.id,
        clientOrderId: purchase.client_order_id,
        status: 'completed',
        totalPrice: null,
        createdAt: null,
        lines: [
          { cwsProductId: cwsProductId(3), unitPrice: null, codes: [{ codeId: purchase.id, kind: 'image', ...code }] },
        ],
      },
    ]);
    return orderId;
  }

  it('has a type by its bytes and a harmless name, whatever the supplier calls it', async () => {
    const orderId = await bringCode({
      value: Buffer.concat([PNG, Buffer.from('1')]).toString('base64'),
      fileName: `../\0../${'x'.repeat(400)}.html`,
    });
    const [{ id }] = (await keyferry.customer.waitForKeys(orderId, 1, PATIENCE_MS)) as [InventoryItem];
    expect(await file(orderId, id)).toMatchObject({
      body: { fileName: `${'x'.repeat(120)}.png`, mimeType: 'image/png' },
    });
  });

  it.each([
    ['an SVG', Buffer.from('<svg onload="alert(1)"/>').toString('base64'), 'unknown_type'],
    ['HTML', Buffer.from('<!doctype html>').toString('base64'), 'unknown_type'],
    ['no base64', 'AAAAA-BBBBB', 'not_base64'],
    ['too large', Buffer.concat([PNG, Buffer.alloc(5 * 1024 * 1024)]).toString('base64'), 'too_large'],
  ])(
    'that is %s is kept and never handed over: a person is called, and nothing is bought again',
    async (_kind, value, reason) => {
      const before = bought(3).length;
      const orderId = await bringCode({ value, fileName: 'key.png' });
      const [key] = await keyferry.sql(
        `SELECT key.id, kind, undeliverable_reason FROM keys key JOIN order_items item ON item.id = order_item_id
       WHERE order_id = $1`,
        [orderId],
      );
      expect(key).toMatchObject({ kind: 'file', undeliverable_reason: reason });
      expect(await keyferry.customer.inventory(orderId)).toMatchObject({ status: 200, body: [{ inventory: [] }] });
      expect(await file(orderId, key.id)).toMatchObject(itemNotFound);

      const [{ state, attention_reason: why }] = await keyferry.sql(
        'SELECT state, attention_reason FROM orders WHERE id = $1',
        [orderId],
      );
      expect([state, why]).toEqual(['needs_attention', expect.stringContaining('not handed over')]);
      expect(
        await keyferry.sql(`SELECT kind FROM alerts WHERE subject = $1 AND cleared_at IS NULL`, [orderId]),
      ).toEqual([{ kind: 'order_needs_attention' }]);
      await keyferry.app.get(PurchaseOrderService, { strict: false }).advance(orderId);
      expect(bought(3)).toHaveLength(before + 1);
    },
  );
});

describe('returned keys', () => {
  it('are delivered no more; the others are, the same as before', async () => {
    const { orderId, keys } = await buy(1, 3);
    const [first, ...others] = keys as [InventoryItem, ...InventoryItem[]];
    expect(await takeBack(orderId, idQuery([first.id]))).toEqual({ ok: true, status: 204, body: undefined });
    expect(await keyferry.customer.inventory(orderId)).toMatchObject({ body: [{ inventory: others }] });
    const stored = await storedKeys(orderId);

    // Again, and with one more.
    expect(await takeBack(orderId, idQuery([first.id]))).toMatchObject({ status: 204 });
    expect(await storedKeys(orderId)).toEqual(stored);
    expect(await takeBack(orderId, idQuery(keys.map((key) => key.id)))).toMatchObject({ status: 204 });
    expect(await keyferry.customer.inventory(orderId)).toMatchObject({ status: 200, body: [{ inventory: [] }] });
    expect((await storedKeys(orderId)).find((key) => key.id === first.id)).toEqual(
      stored.find((key) => key.id === first.id),
    );

    const audit = await audited(orderId, 'order.keys_returned');
    expect(audit).toEqual([
      { count: 1, keyIds: [first.id] },
      { count: 2, keyIds: expect.arrayContaining(others.map((key) => key.id)) },
    ]);
    for (const { value } of keys) expect(JSON.stringify(audit)).not.toContain(value);
  });

  it('that are files have no bytes any more', async () => {
    const { orderId, keys } = await buy(2);
    expect(await takeBack(orderId, idQuery([keys[0]!.id]))).toMatchObject({ status: 204 });
    expect(await keyferry.customer.call('GET', `/order/${orderId}/inventory/${keys[0]!.id}`)).toMatchObject(
      itemNotFound,
    );
  });

  it('are what was owed: nothing is bought in their place while the rest of the order is under way', async () => {
    const orderId = await order({ 4: 1, 3: 1 });
    const [key] = await keyferry.customer.waitForKeys(orderId, 1, PATIENCE_MS);
    expect(await takeBack(orderId, idQuery([key!.id]))).toMatchObject({ status: 204 });
    await keyferry.app.get(PurchaseOrderService, { strict: false }).advance(orderId);
    expect(bought(4)).toHaveLength(1);

    const [{ client_order_id: clientOrderId }] = await keyferry.sql(
      `SELECT client_order_id FROM purchases purchase JOIN order_items item ON item.id = order_item_id
       WHERE order_id = $1 AND cws_product_id = $2`,
      [orderId, cwsProductId(3)],
    );
    await until(async () => keyferry.cws.orders.ledger().orders.some((sold) => sold.clientOrderId === clientOrderId));
    keyferry.cws.orders.finish(clientOrderId);
    await keyferry.sql(`UPDATE pgboss.job SET start_after = now() WHERE name = 'poll-purchase' AND state < 'active'`);
    await keyferry.customer.waitForKeys(orderId, 1, PATIENCE_MS);
    const answer = await keyferry.customer.inventory(orderId);
    if (!answer.ok) throw new Error('no inventory');
    expect(answer.body.map((product: ProductInventory) => [product.product_id, product.inventory.length])).toEqual([
      [g2aProductId(3), 1],
      [g2aProductId(4), 0],
    ]);
    expect(await keyferry.sql('SELECT state FROM orders WHERE id = $1', [orderId])).toEqual([{ state: 'completed' }]);
    expect(bought(4)).toHaveLength(1);
  });

  it.each([
    ['id[]', (ids: string[]) => `?id[]=${ids[0]}&id[]=${ids[1]}`],
    ['id[], encoded', (ids: string[]) => `?id%5B%5D=${ids[0]}&id%5B%5D=${ids[1]}`],
    ['id', (ids: string[]) => `?id=${ids[0]}&id=${ids[1]}`],
    ['id[0]', (ids: string[]) => `?id[0]=${ids[0]}&id[1]=${ids[1]}`],
  ])('may be named by %s, under G2A’s order id too', async (_form, query) => {
    const g2aOrderId = nextG2aOrderId();
    const orderId = await order({ 1: 2 }, g2aOrderId);
    const keys = await keyferry.customer.waitForKeys(orderId, 2, PATIENCE_MS);
    expect(await takeBack(String(g2aOrderId), query(keys.map((key) => key.id)))).toMatchObject({ status: 204 });
    expect(await keyferry.customer.inventory(orderId)).toMatchObject({ body: [{ inventory: [] }] });
  });

  it('are counted once when many calls return the same ones at a time', async () => {
    const { orderId, keys } = await buy(1, 5);
    const ids = keys.map((key) => key.id);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_call, index) =>
        takeBack(orderId, idQuery(index % 2 === 0 ? ids : ids.toReversed())),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(204));
    expect(await audited(orderId, 'order.keys_returned')).toMatchObject([{ count: 5 }]);
  });

  it('are never delivered to anyone else, although CWS sells the same code again: a person hears of it', async () => {
    const first = await buy(1);
    expect(await takeBack(first.orderId, idQuery([first.keys[0]!.id]))).toMatchObject({ status: 204 });
    const orderId = await order({ 3: 1 });
    const { id, client_order_id: reference } = await purchaseUnderWay(orderId);
    const sold = keyferry.cws.orders.ledger().orders.find(({ clientOrderId }) => clientOrderId === reference);
    sold!.lines[0]!.codes[0]!.code = first.keys[0]!.value;
    keyferry.cws.orders.finish(reference);
    await until(async () => {
      await keyferry.sql(`UPDATE pgboss.job SET start_after = now() WHERE name = 'poll-purchase' AND state < 'active'`);
      const alerts = await keyferry.sql(`SELECT FROM alerts WHERE kind = 'code_sold_twice' AND subject = $1`, [id]);
      return alerts.length === 1;
    });
    for (const each of [first.orderId, orderId]) {
      expect(await keyferry.customer.inventory(each)).toMatchObject({ status: 200, body: [{ inventory: [] }] });
    }
    expect(await storedKeys(orderId)).toEqual([]);
  });
});

describe('a key that is on its way out', () => {
  const comesBack = `UPDATE keys SET returned_at = now()
    WHERE order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)`;
  const isSettled = `UPDATE orders SET state = 'failed' WHERE id = $1`;

  it.each([
    ['a text', 'comes back', 1, comesBack],
    ['a text', 'is given up by a person', 1, isSettled],
    ['a file', 'comes back', 2, comesBack],
    ['a file', 'is given up by a person', 2, isSettled],
  ])('does not leave: %s that %s before its delivery is noted', async (_kind, _event, game, change) => {
    const orderId = await order({ [game]: 1 });
    await until(async () => {
      const rows = await keyferry.sql(`SELECT FROM orders WHERE id = $1 AND state = 'completed'`, [orderId]);
      return rows.length === 1;
    });
    const [key] = await storedKeys(orderId);
    const other = new Client({ connectionString: keyferry.database.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM orders WHERE id = $1 FOR UPDATE', [orderId]);
    const answer =
      game === 1
        ? keyferry.customer.inventory(orderId)
        : keyferry.customer.call('GET', `/order/${orderId}/inventory/${key!.id}`);
    // It has read the key, and wants the lock to note that it leaves.
    await until(async () => {
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
      return (await keyferry.sql(waiting)).length > 0;
    });
    await other.query(change, [orderId]);
    await other.query('COMMIT');
    await other.end();

    expect(await answer).toMatchObject(game === 1 ? { status: 200, body: [{ inventory: [] }] } : itemNotFound);
    expect(await storedKeys(orderId)).toMatchObject([{ delivered: null }]);
    expect(await audited(orderId, 'order.keys_delivered')).toEqual([]);
  });
});
