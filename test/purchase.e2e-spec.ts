import { setTimeout as sleep } from 'node:timers/promises';
import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { nextG2aOrderId } from '../sandbox/customer.js';
import type { LoggedRequest } from '../sandbox/traffic.js';
import { AppConfig } from '../src/config/app-config.js';
import { lookupAccount } from '../src/orders/lookup-account.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

describe('a paid order', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 20, alternatives: 20 },
      environment: { PURCHASE_SETTLE_SECONDS: '2', PURCHASE_RESET_SETTLE_SECONDS: '1', ADMIN_PASSWORD: 'a-password' },
    });
    for (const game of GAMES) {
      keyferry.cws.supplier.setProduct(cwsProductId(game), {
        quantity: 20,
        prices: [
          { value: 6.32, from: 1, to: 9 },
          { value: 6.1, from: 10, to: null },
        ],
      });
    }
    await mapGames(keyferry, GAMES);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());
  afterEach(() => {
    keyferry.cws.traffic.behaviors.clear({});
  });

  const steps = purchaseSteps(() => keyferry);
  const { buy, stateOf, hurry } = steps;
  const until = (condition: () => Promise<boolean>): Promise<void> => steps.until(condition, { isHurried: false });

  /** What the supplier sold of a game. */
  function sold(game: number): { clientOrderId: string; capCents: number | null; codes: string[] }[] {
    return steps.sold(game).map((order) => ({
      clientOrderId: order.clientOrderId,
      capCents: order.lines[0]!.capCents,
      codes: order.lines.flatMap((line) => line.codes.map((code) => code.code)),
    }));
  }

  const openAlerts = async (): Promise<string[]> => (await steps.openAlerts()).map(({ kind }) => kind);

  it('brings the key that was bought, and says the same on every call', async () => {
    const orderId = await buy(1);
    const keys = await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(sold(1)).toEqual([{ clientOrderId: expect.any(String), capCents: 632, codes: [keys[0]!.value] }]);
    expect(await keyferry.customer.waitForKeys(orderId, 1, 1000)).toEqual(keys);
    expect(await stateOf(orderId)).toBe('completed');
  });

  it('is bought only after payment: a reservation buys nothing', async () => {
    await keyferry.customer.reserve([{ productId: g2aProductId(2), quantity: 1 }]);
    await sleep(300);
    expect(sold(2)).toEqual([]);
  });

  it('has its purchase intent committed, with the price cap, before CWS is asked to sell', async () => {
    // CWS takes its time, so the database can be looked at while the request is under way.
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1500, route: 'POST /v3/orders' });
    const orderId = await buy(2);
    await until(async () =>
      keyferry.cws.traffic.requests().some((request) => request.route === 'POST /v3/orders' && isFor(request, 2)),
    );
    const [purchase] = await keyferry.sql(
      `SELECT purchase.state, client_order_id, price_cap_cents FROM purchases purchase
       JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
      [orderId],
    );
    expect(purchase).toEqual({ state: 'intended', client_order_id: expect.any(String), price_cap_cents: 632 });
    expect(sold(2)).toEqual([]);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(sold(2)).toEqual([{ clientOrderId: purchase.client_order_id, capCents: 632, codes: [expect.any(String)] }]);
  });

  function isFor(request: LoggedRequest, game: number): boolean {
    return JSON.stringify(request).includes(cwsProductId(game));
  }

  it('waits while CWS is fulfilling, with an empty inventory, and then brings the key', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(3) });
    const orderId = await buy(3);
    await until(async () => (await stateOf(orderId)) === 'fulfilling');
    const pending = await keyferry.customer.inventory(orderId);
    expect(pending).toMatchObject({ ok: true, status: 200, body: [{ product_id: g2aProductId(3), inventory: [] }] });
    keyferry.cws.orders.finish(sold(3)[0]!.clientOrderId);
    await keyferry.customer.waitForKeys(orderId, 1, 30_000);
    expect(sold(3)).toHaveLength(1);
  });

  it.each(['answersAfterCommitNever', 'answers500AfterCommit'] as const)(
    'is bought once when CWS sells and then %s',
    async (name) => {
      const before = sold(4).length;
      keyferry.cws.traffic.behaviors.set({ name, subject: cwsProductId(4), times: 1 });
      const orderId = await buy(4);
      await keyferry.customer.waitForKeys(orderId, 1, 30_000);
      expect(sold(4)).toHaveLength(before + 1);
    },
  );

  it('calls a person, and buys nothing again, when nobody knows whether CWS sold', async () => {
    // Where the look-ups cannot be trusted, nothing is sent again.
    await keyferry.sql(
      `INSERT INTO purchase_lookups (account, way, missed_at) VALUES ($1, 'by_id', now())
       ON CONFLICT (account, way) DO UPDATE SET missed_at = now()`,
      [lookupAccount(keyferry.app.get(AppConfig, { strict: false }))],
    );
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: 'POST /v3/orders', times: 1 });
    const orderId = await buy(5);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(sold(5)).toEqual([]);
    expect(
      await keyferry.sql(`SELECT message FROM alerts WHERE kind = 'order_needs_attention' AND subject = $1`, [orderId]),
    ).toEqual([{ message: expect.stringContaining('no known outcome') }]);

    // The person has looked at CWS, found no order, and says so.
    const reopen = (): Promise<Response> =>
      fetch(`${keyferry.url}/admin/orders/${orderId}/reopen`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from('admin:a-password').toString('base64')}` },
      });
    expect((await reopen()).status).toBe(204);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(sold(5)).toHaveLength(1);
    expect(await openAlerts()).not.toContain('order_needs_attention');
    const again = await reopen();
    expect([again.status, await again.json()]).toEqual([409, expect.objectContaining({ code: 'order_not_waiting' })]);
  });

  it('goes to the next supplier when the cheapest has sold out', async () => {
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
      g2aProductId(6),
      cwsAlternativeProductId(6),
    ]);
    keyferry.cws.supplier.setProduct(cwsAlternativeProductId(6), {
      quantity: 5,
      prices: [{ value: 6.5, from: 1, to: null }],
    });
    await keyferry.sync();
    keyferry.cws.supplier.setProduct(cwsProductId(6), { quantity: 0 });
    const orderId = await buy(6);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(sold(6)).toEqual([]);
  });

  it('is bought at the new price after a rise that the sale still bears', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(7), { prices: [{ value: 6.4, from: 1, to: null }] });
    const orderId = await buy(7);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(sold(7)).toEqual([expect.objectContaining({ capCents: 640 })]);
  });

  it('is never bought at a loss', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(8), { prices: [{ value: 6.83, from: 1, to: null }] });
    const orderId = await buy(8);
    // 8.03 brings 6.82 after 15 %.
    await until(
      async () =>
        (await keyferry.sql(`SELECT FROM purchases WHERE cws_product_id = $1 AND state = 'dead'`, [cwsProductId(8)]))
          .length > 0,
    );
    await sleep(300);
    expect(sold(8)).toEqual([]);
    keyferry.cws.supplier.setProduct(cwsProductId(8), { prices: [{ value: 6.82, from: 1, to: null }] });
    await hurry();
    await keyferry.customer.waitForKeys(orderId, 1, 30_000);
    expect(sold(8)).toEqual([expect.objectContaining({ capCents: 682 })]);
  });

  it('takes a quantity from two suppliers when one does not have enough', async () => {
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
      g2aProductId(11),
      cwsAlternativeProductId(11),
    ]);
    keyferry.cws.supplier.setProduct(cwsProductId(11), { quantity: 1 });
    keyferry.cws.supplier.setProduct(cwsAlternativeProductId(11), {
      quantity: 1,
      prices: [{ value: 6.5, from: 1, to: null }],
    });
    await keyferry.sync();
    const keys = await keyferry.customer.waitForKeys(await buy(11, 2), 2, 20_000);
    expect(new Set(keys.map((key) => key.value)).size).toBe(2);
    expect(sold(11)).toHaveLength(1);
  });

  it('waits when the account cannot pay, says so, and is bought when it can', async () => {
    const { supplier } = keyferry.cws;
    const balance = supplier.balanceCents;
    supplier.balanceCents = 631;
    const orderId = await buy(12);
    await until(async () => (await openAlerts()).includes('balance_too_low'));
    expect(sold(12)).toEqual([]);
    supplier.balanceCents = balance;
    await hurry();
    await keyferry.customer.waitForKeys(orderId, 1, 30_000);
    await until(async () => !(await openAlerts()).includes('balance_too_low'));
  });

  it('is not bought again when CWS sold but the code cannot be read at first', async () => {
    const { behaviors } = keyferry.cws.traffic;
    behaviors.set({ name: 'codeComesLater', subject: cwsProductId(13), seconds: 0 });
    behaviors.set({ name: 'answers500', route: 'GET /v3/codes/:codeId' });
    const orderId = await buy(13);
    await until(async () => (await stateOf(orderId)) === 'fulfilling');
    behaviors.clear({ name: 'answers500' });
    await hurry();
    await keyferry.customer.waitForKeys(orderId, 1, 30_000);
    expect(sold(13)).toHaveLength(1);
  });

  it('is tried again after CWS took it back, but not in a loop, and its stock is held meanwhile', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(14) });
    const orderId = await buy(14);
    await until(async () => sold(14).length > 0);
    await sleep(1000);
    expect(sold(14)).toHaveLength(1);
    expect(await heldStates(orderId)).toEqual(['owed']);
    keyferry.cws.traffic.behaviors.clear({});
    await hurry();
    await keyferry.customer.waitForKeys(orderId, 1, 30_000);
    expect(await heldStates(orderId)).toEqual(['bought']);
  });

  it('calls a person when CWS goes on taking it back until the deadline', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'failsOrder', subject: cwsProductId(15) });
    const orderId = await buy(15);
    await until(async () => sold(15).length > 0);
    await keyferry.sql('UPDATE orders SET deadline_at = now() WHERE id = $1', [orderId]);
    await until(async () => {
      await hurry();
      return (await stateOf(orderId)) === 'needs_attention';
    });
    expect(sold(15)).toHaveLength(1);
  });

  const heldStates = async (orderId: string): Promise<string[]> =>
    (
      await keyferry.sql(
        `SELECT hold.state FROM stock_holds hold JOIN order_items item ON item.id = reservation_item_id WHERE order_id = $1`,
        [orderId],
      )
    ).map((row: { state: string }) => row.state);

  it('brings several keys of one product from one purchase at the price of that quantity', async () => {
    const orderId = await buy(9, 10);
    const keys = await keyferry.customer.waitForKeys(orderId, 10, 20_000);
    expect(new Set(keys.map((key) => key.value)).size).toBe(10);
    expect(sold(9)).toEqual([expect.objectContaining({ capCents: 610 })]);
  });

  it('exists once per reservation, and tells its id to the caller who lost the first answer', async () => {
    const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(10), quantity: 1 }]);
    if (!reservation.ok) throw new Error('not reserved');
    const { reservation_id } = reservation.body;
    const g2aOrderId = nextG2aOrderId();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => keyferry.customer.order(reservation_id, g2aOrderId)),
    );
    const accepted = answers.flatMap((answer) => (answer.ok ? [answer.body.order_id] : []));
    expect(accepted).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok)
        expect(answer).toMatchObject({ status: 409, error: { code: 'order_exists', order_id: accepted[0] } });
    }
    await keyferry.customer.waitForKeys(accepted[0]!, 1, 20_000);
    expect(sold(10)).toHaveLength(1);
  });

  it('keeps its keys encrypted, and out of the audit log', async () => {
    const codes = keyferry.cws.orders.ledger().orders.flatMap((order) => order.lines.flatMap((line) => line.codes));
    expect(codes.length).toBeGreaterThan(10);
    const tables: { name: string }[] = await keyferry.sql(
      `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
       WHERE table_schema IN ('public', 'pgboss') AND table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables) {
      const rows: { text: string }[] = await keyferry.sql(`SELECT row_to_json(t)::text AS text FROM ${name} t`);
      const dump = rows.map((row) => row.text).join('\n');
      for (const { code } of codes) {
        expect(dump.includes(code)).toBe(false);
        expect(dump.includes(Buffer.from(code).toString('hex'))).toBe(false);
      }
    }
  });

  it('leaves audit rows from the reservation to the delivery', async () => {
    const rows = await keyferry.sql(
      `SELECT DISTINCT action FROM audit_log
       WHERE subject_type IN ('reservation', 'order', 'purchase') ORDER BY 1`,
    );
    expect(rows.map((row: { action: string }) => row.action)).toEqual([
      'order.accepted',
      'order.keys_delivered',
      'order.state_changed',
      'purchase.intended',
      'purchase.keys_stored',
      'purchase.state_changed',
      'reservation.created',
      'reservation.ordered',
    ]);
  });
});

describe('stock', () => {
  it('is never promised twice', async () => {
    const keyferry = await startKeyferry();
    try {
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 5 });
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => keyferry.customer.reserve([{ productId: g2aProductId(1), quantity: 1 }])),
      );
      expect(answers.filter((answer) => answer.ok)).toHaveLength(5);
      for (const answer of answers) {
        if (!answer.ok) expect(answer).toMatchObject({ status: 400, error: { code: 'insufficient_stock' } });
      }
      await keyferry.sync();
      expect(keyferry.g2a.marketplace.list().find((offer) => offer.productId === g2aProductId(1))).toMatchObject({
        active: false,
        size: 0,
      });
    } finally {
      await keyferry.stop();
    }
  });
});

describe('a pause', () => {
  it('stops selling and reservations; orders already paid go on', async () => {
    const keyferry = await startKeyferry();
    try {
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(1), quantity: 1 }]);
      if (!reservation.ok) throw new Error('not reserved');
      await keyferry.sql(`UPDATE control_state SET is_paused = true`);
      expect(await keyferry.customer.reserve([{ productId: g2aProductId(1), quantity: 1 }])).toMatchObject({
        status: 503,
        error: { code: 'service_paused' },
        retryAfterSeconds: 300,
      });
      await keyferry.sync();
      expect(keyferry.g2a.marketplace.list().find((offer) => offer.productId === g2aProductId(1))).toMatchObject({
        active: false,
        size: 0,
      });
      const order = await keyferry.customer.order(reservation.body.reservation_id);
      if (!order.ok) throw new Error('not accepted');
      await keyferry.customer.waitForKeys(order.body.order_id, 1, 20_000);
    } finally {
      await keyferry.stop();
    }
  });
});
