import { DataSource } from 'typeorm';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { CwsClient } from '../src/cws/cws-client.js';
import type { SupplierOrder } from '../src/cws/cws.types.js';
import { fulfillingPurchases } from '../src/orders/fulfilling-purchases.queries.js';
import { MatchSupplierOrdersService } from '../src/orders/match-supplier-orders.service.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { countPoll } from '../src/orders/purchases.queries.js';
import { ReopenOrderService } from '../src/orders/reopen-order.service.js';
import { runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { type PurchaseRow, purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const POST = 'POST /v3/orders';
const NOWHERE = 'http://127.0.0.1:9';

let keyferry: Keyferry;
const { buy, sold, sent, purchases, stateOf, until, openAlerts, keepUnsent } = purchaseSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry({
    environment: { PURCHASE_SETTLE_SECONDS: '600', PURCHASE_RESET_SETTLE_SECONDS: '300', ADMIN_PASSWORD: 'a-password' },
  });
  for (const game of GAMES) {
    keyferry.cws.supplier.setProduct(cwsProductId(game), {
      quantity: 20,
      prices: [{ value: 6.32, from: 1, to: null }],
    });
  }
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
  for (const name of ['order', 'orderHistory']) Reflect.deleteProperty(cws(), name);
});

const cws = (): CwsClient => keyferry.app.get(CwsClient, { strict: false });

const poll = (id: string): Promise<void> => keyferry.app.get(PollPurchaseService, { strict: false }).poll(id);

const reopen = (orderId: string): Promise<unknown> =>
  keyferry.app.get(ReopenOrderService, { strict: false }).reopen(orderId, 'cli:test');

const keyferryCommand = (...args: string[]) =>
  runCommand({ ...environment(NOWHERE, NOWHERE), DATABASE_URL: keyferry.database.url }, args);

const statesOf = async (orderId: string): Promise<string[]> => (await purchases(orderId)).map(({ state }) => state);

const first = async (orderId: string): Promise<PurchaseRow> => (await purchases(orderId))[0]!;

const alertOf = async (kind: string, subject: string): Promise<string | undefined> =>
  (await openAlerts()).find((alert) => alert.kind === kind && alert.subject === subject)?.message;

const keysOf = async (purchaseId: string): Promise<number> =>
  (await keyferry.sql('SELECT id FROM keys WHERE purchase_id = $1', [purchaseId])).length;

const heldPieces = async (orderId: string): Promise<number> =>
  (
    await keyferry.sql(
      `SELECT coalesce(sum(hold.quantity), 0)::integer AS held FROM stock_holds hold
       JOIN order_items item ON item.id = reservation_item_id WHERE order_id = $1 AND hold.state = 'owed'`,
      [orderId],
    )
  )[0].held;

const callPerson = (orderId: string): Promise<unknown> =>
  keyferry.sql(`UPDATE orders SET state = 'needs_attention', attention_reason = 'a test' WHERE id = $1`, [orderId]);

/** The rows of an order in `orders export`, the oldest purchase first. */
async function exported(orderId: string): Promise<Record<string, string>[]> {
  const day = new Date().toISOString().slice(0, 10);
  const { stdout } = await keyferryCommand('orders', 'export', '--from', day, '--to', day, '--json');
  const rows = JSON.parse(stdout) as Record<string, string>[];
  return rows
    .filter((row) => row['order_id'] === orderId)
    .sort((one, other) => one['purchased_at']!.localeCompare(other['purchased_at']!));
}

const endsOf = (purchaseId: string): Promise<unknown[]> =>
  keyferry.sql(
    `SELECT actor, details FROM audit_log WHERE subject_id = $1 AND action = 'purchase.state_changed'
       AND details ->> 'to' = 'dead'`,
    [purchaseId],
  );

/** A purchase of the first of these games that nobody answered was given up by a person. */
async function buyAndGiveUp(...games: [number, ...number[]]): Promise<{ orderId: string; row: PurchaseRow }> {
  const lost = cwsProductId(games[0]);
  keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, subject: lost, times: 1 });
  const orderId = await buy(games);
  const unanswered = async (): Promise<PurchaseRow | undefined> =>
    (await purchases(orderId)).find((purchase) => purchase.cws_product_id === lost && purchase.state === 'unknown');
  await until(async () => (await unanswered()) !== undefined);
  const row = (await unanswered())!;
  await callPerson(orderId);
  await keyferry.sql('UPDATE purchases SET settles_at = now() WHERE id = $1', [row.id]);
  keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
  await reopen(orderId);
  return { orderId, row };
}

/** CWS has an order for the purchase after all. */
const placeLate = (game: number, { client_order_id: orderId }: PurchaseRow) =>
  keyferry.cws.orders.place({ orderId, products: [{ productId: cwsProductId(game), price: null, quantity: 1 }] });

/** CWS has accepted it, and the deadline passes without a key. */
async function buyWithoutKey(game: number): Promise<{ orderId: string; row: PurchaseRow }> {
  keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(game), times: 1 });
  const orderId = await buy(game);
  await until(async () => (await statesOf(orderId))[0] === 'fulfilling');
  return { orderId, row: await first(orderId) };
}

async function passDeadline(orderId: string): Promise<void> {
  await keyferry.sql('UPDATE orders SET deadline_at = now() WHERE id = $1', [orderId]);
  await until(async () => (await stateOf(orderId)) === 'needs_attention');
}

describe('a purchase that was never sent', () => {
  it('ends when the key of another completes its order', async () => {
    const { orderId, row } = await buyAndGiveUp(1);
    const unsent = await keepUnsent(orderId);
    placeLate(1, row);
    await poll(row.id);
    expect(await stateOf(orderId)).toBe('completed');
    expect(await statesOf(orderId)).toEqual(['dead', 'dead']);
    expect(await endsOf(unsent)).toEqual([
      { actor: 'orders', details: expect.objectContaining({ from: 'intended', reason: expect.any(String) }) },
    ]);
    // What the given up one did cost is known, though it was over.
    expect(await keyferry.sql('SELECT unit_price_cents FROM purchases WHERE id = $1', [row.id])).toEqual([
      { unit_price_cents: 632 },
    ]);
  });

  it('ends when the key of another is all that its product needs, though the order needs more', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'sellsOutMidOrder', subject: cwsProductId(12) });
    const { orderId, row } = await buyAndGiveUp(11, 12);
    const unsent = await keepUnsent(orderId, cwsProductId(11));
    placeLate(11, row);
    await poll(row.id);
    expect(await stateOf(orderId)).not.toBe('completed');
    expect(await purchases(orderId)).toContainEqual(expect.objectContaining({ id: unsent, state: 'dead' }));
    keyferry.cws.traffic.behaviors.clear({});
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect([sold(11).length, sold(12).length]).toEqual([1, 1]);
  });

  it('ends when its order is found to be over', async () => {
    const orderId = await buy(2);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const { id } = await first(orderId);
    await keyferry.sql(`UPDATE purchases SET state = 'intended', send_count = 0 WHERE id = $1`, [id]);
    await poll(id);
    expect(await statesOf(orderId)).toEqual(['dead']);
    expect(await endsOf(id)).toHaveLength(1);
  });

  it('is told of as what it was when a person settles the order', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
    const orderId = await buy(3);
    const id = await keepUnsent(orderId);
    await keyferry.sql(`UPDATE purchases SET state = 'unknown', settles_at = now() WHERE id = $1`, [id]);
    const answer = await keyferryCommand('orders', 'resolve', orderId, '--refunded', '--note', 'a test');
    expect(answer).toMatchObject({ code: 0, stdout: expect.stringContaining(`${id} was never sent`) });
    expect(await endsOf(id)).toEqual([
      { actor: expect.stringMatching(/^cli:/), details: expect.objectContaining({ from: 'unknown', to: 'dead' }) },
    ]);
  });
});

describe('a purchase that CWS took back', () => {
  it('is watched: a key that it brings after all is stored, and a person hears of it', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(4), times: 1 });
    const orderId = await buy(4);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await statesOf(orderId)).toEqual(['dead', 'completed']);
    const row = await first(orderId);
    expect(row.watched_until).not.toBeNull();

    const delivers = (order: SupplierOrder): SupplierOrder => ({
      ...order,
      status: 'completed',
      lines: order.lines.map((line) => ({
        ...line,
        codes: [{ codeId: 'after-all', kind: 'text', value: 'PAID-AFTER-ALL', fileName: null }],
      })),
    });
    Object.assign(cws(), {
      order: async (id: string) => {
        const order = await CwsClient.prototype.order.call(cws(), id);
        return order?.cwsOrderId === row.cws_order_id ? delivers(order) : order;
      },
    });
    await poll(row.id);
    expect(await keysOf(row.id)).toBe(1);
    expect(await alertOf('spare_keys', orderId)).toContain('when it was over (dead)');
  });

  it('keeps the reason of its end when a slow look at it comes back', async () => {
    const [{ id, last_error: reason }] = await keyferry.sql(
      `SELECT id, last_error FROM purchases WHERE cws_product_id = $1 AND state = 'dead'`,
      [cwsProductId(4)],
    );
    expect(reason).toContain('cancelled');
    const [{ order_id: orderId }] = await keyferry.sql('SELECT order_id FROM order_items WHERE g2a_product_id = $1', [
      g2aProductId(4),
    ]);
    // Only the code that came of it after all was paid for.
    expect(await exported(orderId)).toMatchObject([{ quantity_bought: '1', cost_note: '' }, { quantity_bought: '1' }]);
    await countPoll(keyferry.app.get(DataSource).manager, id, null);
    expect(await keyferry.sql('SELECT last_error FROM purchases WHERE id = $1', [id])).toEqual([
      { last_error: reason },
    ]);
  });
});

describe('a purchase that CWS has accepted and does not deliver', () => {
  it('is given up by a person after the deadline, and watched: its key is spare when it comes', async () => {
    const { orderId, row } = await buyWithoutKey(5);
    const giveUp = (...more: string[]) =>
      keyferryCommand('orders', 'retry', orderId, '--give-up', row.client_order_id, ...more);
    await callPerson(orderId);
    expect(await giveUp('--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('deadline') });
    await passDeadline(orderId);

    const plain = await keyferryCommand('orders', 'retry', orderId);
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining(`--give-up ${row.client_order_id}`) });
    const warned = await giveUp();
    expect(warned).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Nothing was changed') });
    expect(warned.stderr).toMatch(new RegExp(`given up.*${row.client_order_id}`));
    expect(await statesOf(orderId)).toEqual(['fulfilling']);

    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
    expect(await giveUp('--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining(row.client_order_id) });
    expect(await first(orderId)).toMatchObject({ state: 'dead', watched_until: expect.any(Date) });
    expect(await endsOf(row.id)).toEqual([
      { actor: expect.stringMatching(/^cli:/), details: expect.objectContaining({ from: 'fulfilling' }) },
    ]);
    expect(await heldPieces(orderId)).toBe(1);
    keyferry.cws.traffic.behaviors.clear({});
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sold(5)).toHaveLength(2);
    expect(await heldPieces(orderId)).toBe(0);

    // CWS charged for both.
    const [lost, served] = await exported(orderId);
    expect(lost).toMatchObject({
      client_order_id: row.client_order_id,
      cws_order_id: row.cws_order_id ?? sold(5)[0]!.orderId,
      quantity_sold: '0',
      quantity_bought: '1',
      net: '0.00',
      total_cost: '6.32',
      margin: '-6.32',
      cost_note: 'given up: paid unless CWS takes it back',
    });
    expect(served).toMatchObject({ quantity_sold: '1', quantity_bought: '1', total_cost: '6.32', cost_note: '' });

    keyferry.cws.orders.finish(row.client_order_id);
    await poll(row.id);
    expect(await keysOf(row.id)).toBe(1);
    expect(await alertOf('spare_keys', orderId)).toContain(row.client_order_id);
  });

  it('costs nothing when CWS takes it back after it was given up', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(14), times: 1 });
    const { orderId, row } = await buyWithoutKey(14);
    await passDeadline(orderId);
    const given = await keyferryCommand('orders', 'retry', orderId, '--give-up', row.client_order_id, '--yes');
    expect(given).toMatchObject({ code: 0 });
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await exported(orderId)).toMatchObject([
      { client_order_id: row.client_order_id, cost_note: 'given up: paid unless CWS takes it back' },
      { cost_note: '' },
    ]);
    keyferry.cws.orders.finish(row.client_order_id);
    await poll(row.id);
    expect(await exported(orderId)).toMatchObject([{ quantity_sold: '1', quantity_bought: '1', cost_note: '' }]);
  });

  it('is given up over HTTP, by its id', async () => {
    const { orderId, row } = await buyWithoutKey(6);
    await passDeadline(orderId);
    const post = (body: unknown): Promise<Response> =>
      fetch(`${keyferry.url}/admin/orders/${orderId}/reopen`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from('admin:a-password').toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      });
    for (const giveUp of ['x', [1], ['']]) expect((await post({ giveUp })).status).toBe(400);
    const unknown = await post({ giveUp: ['0b000000-0000-4000-8000-00000000ffff'] });
    expect([unknown.status, await unknown.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'purchase_not_waiting' }),
    ]);
    expect(await statesOf(orderId)).toEqual(['fulfilling']);
    expect((await post({ giveUp: [row.id] })).status).toBe(204);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await statesOf(orderId)).toEqual(['dead', 'completed']);
  });

  it('is not given up when it is a pre-order: its code is paid, and comes with the release', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'preorderCodes', subject: cwsProductId(7), times: 1 });
    const orderId = await buy(7);
    await until(async () => (await statesOf(orderId))[0] === 'fulfilling');
    await passDeadline(orderId);
    const { client_order_id: reference } = await first(orderId);
    expect(await keyferryCommand('orders', 'retry', orderId, '--give-up', reference, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pre-order'),
    });
    expect(await statesOf(orderId)).toEqual(['fulfilling']);
  });

  it('is shown with the codes that CWS had sold before', async () => {
    const served = await buy(8);
    await keyferry.customer.waitForKeys(served, 1, 20_000);
    const { orderId, row } = await buyWithoutKey(8);
    const [before, again] = sold(8);
    again!.lines[0]!.codes[0]!.code = before!.lines[0]!.codes[0]!.code;
    keyferry.cws.orders.finish(row.client_order_id);
    await poll(row.id);
    const shown = await keyferryCommand('orders', 'show', orderId);
    expect(shown.stdout).toContain(again!.lines[0]!.codes[0]!.codeId);
  });
});

describe('a purchase of which nobody knows the outcome', () => {
  it('is told as that after the deadline too, and given up only when its request cannot arrive any more', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(13);
    await until(async () => (await statesOf(orderId))[0] === 'unknown');
    await passDeadline(orderId);
    const { id, client_order_id: reference } = await first(orderId);
    const reason = async (): Promise<string> =>
      (await keyferry.sql('SELECT attention_reason AS reason FROM orders WHERE id = $1', [orderId]))[0].reason;
    expect(await reason()).toMatch(new RegExp(`^purchase ${reference} has no known outcome .*, sent once;`));

    const retry = (...more: string[]) => keyferryCommand('orders', 'retry', orderId, ...more);
    const tooEarly = new RegExp(`${reference}.* may still arrive until 20[^ ]+Z`);
    const preview = await retry();
    expect(preview).toMatchObject({ code: 1, stderr: expect.stringMatching(tooEarly) });
    expect(preview.stderr).toContain('given up: none');
    expect(preview.stderr).not.toContain('--yes');
    expect(await retry('--yes')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(tooEarly) });
    expect([await stateOf(orderId), await statesOf(orderId)]).toEqual(['needs_attention', ['unknown']]);
    await expect(reopen(orderId)).rejects.toMatchObject({ status: 409, code: 'purchase_not_waiting' });

    await keyferry.sql('UPDATE purchases SET settles_at = now() WHERE id = $1', [id]);
    const other = 'KF-Another';
    expect(await retry('--give-up', other, '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining(other) });
    // To name it is not needed, and no mistake.
    expect(await retry('--give-up', reference, '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${reference} is given up`),
    });
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect((await exported(orderId)).map(({ cost_note: note }) => note)).toEqual(['may have been paid', '']);
  });
});

describe('client order ids that CWS shows in other letters', () => {
  it('are still ours', async () => {
    const { row } = await buyWithoutKey(9);
    const { manager } = keyferry.app.get(DataSource);
    expect(await fulfillingPurchases(manager, [row.client_order_id.toUpperCase()])).toEqual([row.id]);

    Object.assign(cws(), {
      orderHistory: async (...window: Parameters<CwsClient['orderHistory']>) =>
        (await CwsClient.prototype.orderHistory.apply(cws(), window)).map((order) => ({
          ...order,
          clientOrderId: order.clientOrderId?.toUpperCase() ?? null,
        })),
    });
    const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
    await matching.compareAgain();
    expect(await matching.mayBuy()).toBe(true);
    const [{ id }] = await keyferry.sql('SELECT installation_id AS id FROM control_state');
    const unknown = `KF-${id.slice(0, 8)}-3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02`;
    const { orderId } = placeLate(10, { ...row, client_order_id: unknown });
    await matching.compareAgain();
    expect(await matching.mayBuy()).toBe(false);
    expect(await alertOf('supplier_orders_unmatched', '')).toBeDefined();

    expect(await keyferryCommand('purchases', 'resolve', orderId, '--note', 'a test')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('buying goes on'),
    });
    expect(await alertOf('supplier_orders_unmatched', '')).toBeUndefined();
  });
});

describe('the alert about orders of CWS that the database does not know', () => {
  it('is cleared by a comparison that finds none, whoever has raised it', async () => {
    const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
    expect(await matching.mayBuy()).toBe(true);
    // By another replica, and resolved before this one has looked.
    await keyferry.sql(
      `INSERT INTO alerts (kind, subject, message) VALUES ('supplier_orders_unmatched', '', 'a test')`,
    );
    await matching.compareAgain();
    expect(await alertOf('supplier_orders_unmatched', '')).toBeUndefined();
    expect(sent(10)).toEqual([]);
  });
});
