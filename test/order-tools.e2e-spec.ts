import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { AppConfig } from '../src/config/app-config.js';
import { lookupAccount } from '../src/orders/lookup-account.js';
import type { OrderDossier } from '../src/orders/order-views.queries.js';
import type { ResolvedOrder } from '../src/orders/resolve-order.service.js';
import { type CommandAnswer, runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const POST = 'POST /v3/orders';
const NOWHERE = 'http://127.0.0.1:9';

let keyferry: Keyferry;
const { buy, sold, purchases, stateOf, until, keepUnsent } = purchaseSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry({ environment: { PURCHASE_SETTLE_SECONDS: '1', PURCHASE_RESET_SETTLE_SECONDS: '1' } });
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
});

const account = (): string => lookupAccount(keyferry.app.get(AppConfig, { strict: false }));

const command = async (...args: string[]): Promise<CommandAnswer> =>
  runCommand({ ...environment(NOWHERE, NOWHERE), DATABASE_URL: keyferry.database.url }, args);

const orders = async (...args: string[]): Promise<CommandAnswer> => command('orders', ...args);

async function ordersJson<T>(...args: string[]): Promise<T> {
  const answer = await orders(...args, '--json');
  expect(answer).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(answer.stdout) as T;
}

const rowOf = async (orderId: string): Promise<{ state: string; g2a_order_id: number }> =>
  (await keyferry.sql('SELECT * FROM orders WHERE id = $1', [orderId]))[0];
const heldPieces = async (orderId: string): Promise<number> =>
  (
    await keyferry.sql(
      `SELECT coalesce(sum(hold.quantity), 0)::integer AS held FROM stock_holds hold
       JOIN order_items item ON item.id = reservation_item_id WHERE order_id = $1 AND hold.state = 'owed'`,
      [orderId],
    )
  )[0].held;

const openAlerts = async (subject: string): Promise<{ kind: string; message: string }[]> =>
  keyferry.sql('SELECT kind, message FROM alerts WHERE cleared_at IS NULL AND subject = $1', [subject]);

const keyCount = async (orderId: string): Promise<number> =>
  (
    await keyferry.sql(
      `SELECT count(*)::integer AS count FROM keys JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
      [orderId],
    )
  )[0].count;

/** An order whose purchase nobody answered, and CWS does not know: a person is called. */
async function buyUnanswered(game: number): Promise<string> {
  // Where a look-up has missed something, nothing is sent again.
  await keyferry.sql(
    `INSERT INTO purchase_lookups (account, way, missed_at) VALUES ($1, 'by_id', now())
     ON CONFLICT (account, way) DO UPDATE SET missed_at = now()`,
    [account()],
  );
  keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
  const orderId = await buy(game);
  await until(async () => (await stateOf(orderId)) === 'needs_attention');
  return orderId;
}

describe('a person looks at orders', () => {
  it('lists those that are stuck, with the reason and what is missing, and shows one with its whole history', async () => {
    const served = await buy(1);
    const keys = await keyferry.customer.waitForKeys(served, 1, 20_000);
    const stuck = await buyUnanswered(2);

    const listed = await ordersJson<{ id: string }[]>('list', '--stuck');
    expect(listed).toEqual([
      expect.objectContaining({
        id: stuck,
        state: 'needs_attention',
        attentionReason: expect.stringContaining('no known outcome'),
        owedKeys: 1,
        missingKeys: 1,
        spareKeys: 0,
      }),
    ]);
    const text = await orders('list', '--limit', '5');
    expect(text.stdout).toContain(served);
    expect(text.stdout).toMatch(new RegExp(`${stuck} .* 1 of 1 key missing\n  purchase KF-`));

    const dossier = await ordersJson<OrderDossier>('show', String((await rowOf(served)).g2a_order_id));
    expect(dossier).toMatchObject({
      order: { id: served, state: 'completed' },
      items: [{ quantity: 1, purchases: [{ cwsOrderId: sold(1)[0]!.orderId, unitPrice: '6.32', sendCount: 1 }] }],
      keys: [{ kind: 'text', isSpare: false, firstDeliveredAt: expect.any(String), returnedAt: null }],
    });
    expect(dossier.history.map(({ action }) => action)).toEqual([
      'reservation.created',
      'reservation.ordered',
      'order.accepted',
      'purchase.intended',
      'order.state_changed',
      'purchase.keys_stored',
      'purchase.state_changed',
      'order.state_changed',
      'order.keys_delivered',
    ]);
    const shown = await orders('show', served);
    expect(shown.stdout).toContain(`CWS order ${sold(1)[0]!.orderId}, sent once`);
    expect(shown.stdout + JSON.stringify(dossier)).not.toContain(keys[0]!.value);
  });

  it('is told when there is no such order', async () => {
    expect(await orders('show', '4242')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: "There is no order 4242: give our order's UUID, or G2A's order id.\n",
    });
  });
});

describe('a person who has read enough', () => {
  it('ends no command by closing its output', async () => {
    const env = { ...environment(NOWHERE, NOWHERE), DATABASE_URL: keyferry.database.url };
    const child = spawn(process.execPath, [resolve('dist/cli.js'), 'orders', 'list', '--json'], { cwd: tmpdir(), env });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('a person decides about an order', () => {
  it('retries it: only when told to, after a look at what that means', async () => {
    const orderId = await buyUnanswered(3);
    const [purchase] = await purchases(orderId);
    const warned = await orders('retry', orderId);
    expect(warned).toMatchObject({ code: 1, stderr: expect.stringContaining('paid twice') });
    expect(warned.stderr).toContain(purchase!.client_order_id);
    expect(await stateOf(orderId)).toBe('needs_attention');

    expect(await orders('retry', orderId, '--yes')).toMatchObject({ code: 0 });
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect((await purchases(orderId)).map(({ state }) => state)).toEqual(['dead', 'completed']);
    expect(sold(3)).toHaveLength(1);
    for (const decision of [[], ['--yes']]) {
      expect(await orders('retry', orderId, ...decision)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^the order is completed/),
      });
    }
  });

  it('resolves it: holds and alert go, nothing is sent again, and a key that comes late is spare', async () => {
    const orderId = await buyUnanswered(4);
    expect(await heldPieces(orderId)).toBe(1);
    const args = ['resolve', orderId, '--delivered-by-hand', '--note', 'sent by e-mail'];

    const dry = await ordersJson<ResolvedOrder>(...args, '--dry-run');
    expect(dry).toMatchObject({ isDryRun: true, isChanged: true, from: 'needs_attention', to: 'resolved' });
    expect([await stateOf(orderId), await heldPieces(orderId)]).toEqual(['needs_attention', 1]);

    const [purchase] = await purchases(orderId);
    expect(await ordersJson<ResolvedOrder>(...args)).toMatchObject({
      isDryRun: false,
      isChanged: true,
      missingKeys: 1,
      releasedPieces: 1,
      openPurchases: [purchase!.id],
    });
    expect([await stateOf(orderId), await heldPieces(orderId)]).toEqual(['resolved', 0]);
    expect(await openAlerts(orderId)).toEqual([]);
    expect(await ordersJson<ResolvedOrder>(...args)).toMatchObject({ isChanged: false });
    expect(await orders('resolve', orderId, '--refunded', '--note', 'no')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the order is resolved'),
    });
    const audit = await keyferry.sql(
      `SELECT actor, details FROM audit_log WHERE subject_id = $1 AND details->>'to' = 'resolved'`,
      [orderId],
    );
    expect(audit).toEqual([
      { actor: expect.stringMatching(/^cli:/), details: expect.objectContaining({ note: 'sent by e-mail' }) },
    ]);

    // Both look-ups would allow to send it again now; but nobody waits for it any more.
    await keyferry.sql(
      `INSERT INTO purchase_lookups (account, way, found_at) VALUES ($1, 'by_id', now()), ($1, 'by_history', now())
       ON CONFLICT (account, way) DO UPDATE SET found_at = now(), missed_at = NULL`,
      [account()],
    );
    await keyferry.sql(`UPDATE orders SET deadline_at = now() + interval '1 hour' WHERE id = $1`, [orderId]);
    const pollsOf = async () =>
      (await keyferry.sql('SELECT poll_count FROM purchases WHERE id = $1', [purchase!.id]))[0].poll_count as number;
    const polls = await pollsOf();
    await until(async () => (await pollsOf()) >= polls + 2);
    expect(sold(4)).toEqual([]);

    // CWS had it after all.
    keyferry.cws.orders.place({
      orderId: purchase!.client_order_id,
      products: [{ productId: cwsProductId(4), price: null, quantity: 1 }],
    });
    await until(async () => (await keyCount(orderId)) === 1);
    expect(await stateOf(orderId)).toBe('resolved');
    expect(await keyferry.customer.inventory(orderId)).toMatchObject({ ok: true, body: [{ inventory: [] }] });
    expect(await openAlerts(orderId)).toEqual([
      { kind: 'spare_keys', message: expect.stringContaining('delivered to nobody') },
    ]);
    expect(await ordersJson('list', '--spare')).toEqual([expect.objectContaining({ id: orderId, spareKeys: 1 })]);
    expect((await orders('show', orderId)).stdout).toContain('SPARE');
  });

  it('resolves one as refunded whose purchase was never sent, and it never is', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, seconds: 2 });
    const orderId = await buy(5);
    await keepUnsent(orderId);
    keyferry.cws.traffic.behaviors.clear({});
    const { abandonedPurchases } = await ordersJson<ResolvedOrder>(
      'resolve',
      orderId,
      '--refunded',
      '--note',
      'asked for',
    );
    expect(abandonedPurchases).toHaveLength(1);
    await keyferry.sql(`UPDATE pgboss.job SET start_after = now() WHERE state IN ('created', 'retry')`);
    await sleep(1500);
    expect(await stateOf(orderId)).toBe('failed');
    expect(sold(5)).toEqual([]);
    expect(await heldPieces(orderId)).toBe(0);
  });
});

describe('the export', () => {
  it('has a row per purchase with what it cost and what its sale brings, as CSV and as JSON', async () => {
    const orderId = await buy(6, 2);
    await keyferry.customer.waitForKeys(orderId, 2, 20_000);
    const { g2a_order_id: g2aOrderId } = await rowOf(orderId);
    const [{ sale_price_cents: salePrice }] = await keyferry.sql('SELECT * FROM order_items WHERE order_id = $1', [
      orderId,
    ]);
    const day = new Date().toISOString().slice(0, 10);
    const rows = await ordersJson<Record<string, string>[]>('export', '--from', day, '--to', day);
    const net = 2 * Math.floor(salePrice * 0.85);
    expect(rows.find((row) => row.order_id === orderId)).toMatchObject({
      g2a_order_id: String(g2aOrderId),
      g2a_product_id: String(g2aProductId(6)),
      order_state: 'completed',
      quantity_sold: '2',
      sale_price: (salePrice / 100).toFixed(2),
      net: (net / 100).toFixed(2),
      cws_order_id: sold(6)[0]!.orderId,
      cws_product_id: cwsProductId(6),
      quantity_bought: '2',
      unit_cost: '6.32',
      total_cost: '12.64',
      margin: ((net - 1264) / 100).toFixed(2),
    });
    expect(rows.find((row) => row.order_id === orderId)?.cost_note).toBe('');
    // Given up by the retry above: nobody told whether it was bought.
    expect(rows.filter((row) => row.purchase_state === 'dead')).toEqual([
      expect.objectContaining({
        quantity_sold: '0',
        cws_order_id: '',
        total_cost: '',
        cost_note: 'may have been paid',
      }),
    ]);

    const csv = (await orders('export', '--from', day, '--to', day)).stdout.trimEnd().split('\n');
    expect(csv).toHaveLength(rows.length + 1);
    expect(csv[0]).toBe(Object.keys(rows[0]!).join(','));
    expect(csv.slice(1)).toEqual(rows.map((row) => Object.values(row).join(',')));
    expect(await ordersJson('export', '--from', '2020-01-01', '--to', '2020-01-31')).toEqual([]);
  });
});

describe('a second pause', () => {
  it('says that it is one, and changes nothing but the reason, if one is given', async () => {
    const first = (await command('pause')).stdout;
    const since = first.replace(/\n$/, '');
    expect(since).toMatch(/^paused by cli:\S+ since \S+Z$/);
    expect((await command('pause', '--reason', 'stocktaking')).stdout).toBe(`already ${since}: stocktaking\n`);
    expect((await command('pause')).stdout).toBe(`already ${since}: stocktaking\n`);
    expect((await command('resume')).stdout).toBe('selling\n');
    const audit = await keyferry.sql(`SELECT details FROM audit_log WHERE action = 'control.paused' ORDER BY id`);
    expect(audit).toEqual([{ details: { reason: null } }, { details: { reason: 'stocktaking' } }]);
  });
});

describe('codes that do not come at once', () => {
  it('are waited for when they are pre-orders, for weeks if need be, and a person hears of it', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'preorderCodes', subject: cwsProductId(7) });
    const orderId = await buy(7);
    await until(async () => (await purchases(orderId))[0]?.state === 'fulfilling');
    const [purchase] = await purchases(orderId);
    const { g2a_order_id: g2aOrderId } = await rowOf(orderId);
    expect(await openAlerts(purchase!.id)).toEqual([
      { kind: 'preorder_code', message: expect.stringContaining(`order ${g2aOrderId}`) },
    ]);

    await keyferry.sql(`UPDATE orders SET deadline_at = now() WHERE id = $1`, [orderId]);
    await keyferry.sql(`UPDATE purchases SET created_at = now() - interval '20 days' WHERE id = $1`, [purchase!.id]);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(await openAlerts(orderId)).toEqual([
      { kind: 'order_needs_attention', message: expect.stringContaining('pre-order') },
    ]);
    keyferry.cws.orders.finish(purchase!.client_order_id);
    await until(async () => (await stateOf(orderId)) === 'completed');
    const keys = await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(keys[0]!.value).toBe(sold(7)[0]!.lines[0]!.codes[0]!.code);
    expect([await openAlerts(purchase!.id), await openAlerts(orderId)]).toEqual([[], []]);
  });

  it('are kept one by one when CWS delivers fewer than it owes, and it is asked for the rest', async () => {
    const { behaviors } = keyferry.cws.traffic;
    behaviors.set({ name: 'codeComesLater', subject: cwsProductId(8), seconds: 0 });
    // The first of the two codes cannot be read: a read is repeated twice.
    behaviors.set({ name: 'answers500', route: 'GET /v3/codes/:codeId', times: 3 });
    const orderId = await buy(8, 2);
    for (const deadline = Date.now() + 20_000; (await keyCount(orderId)) < 1;) {
      if (Date.now() > deadline) throw new Error('no key came');
      await sleep(20);
    }
    expect((await keyferry.customer.waitForKeys(orderId, 1, 20_000)).length).toBeGreaterThanOrEqual(1);
    const keys = await keyferry.customer.waitForKeys(orderId, 2, 20_000);
    expect(keys.map(({ value }) => value).sort()).toEqual(
      sold(8)[0]!
        .lines[0]!.codes.map(({ code }) => code)
        .sort(),
    );
    expect(sold(8)).toHaveLength(1);
  });

  it('are not delivered twice when CWS sells the same one again, and a person hears of it', async () => {
    const first = await buy(9);
    await keyferry.customer.waitForKeys(first, 1, 20_000);
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(9) });
    const second = await buy(9);
    await until(async () => (await stateOf(second)) === 'fulfilling');
    const [before, again] = sold(9);
    const [code] = again!.lines[0]!.codes;
    code!.code = before!.lines[0]!.codes[0]!.code;
    keyferry.cws.orders.finish(again!.clientOrderId);
    const [purchase] = await purchases(second);
    await until(async () => (await openAlerts(purchase!.id)).length > 0);
    expect(await openAlerts(purchase!.id)).toEqual([
      { kind: 'code_sold_twice', message: expect.stringContaining(code!.codeId) },
    ]);
    expect(await keyCount(second)).toBe(0);
    expect(await stateOf(second)).toBe('fulfilling');
  });
});
