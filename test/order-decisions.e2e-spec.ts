import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { nextG2aOrderId } from '../sandbox/customer.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const TODAY = new Date().toISOString().slice(0, 10);
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const UNKNOWN = '0b000000-0000-4000-8000-00000000ffff';

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry({ environment: { ADMIN_USERNAME: 'r'.repeat(80), ADMIN_PASSWORD: 'a-password' } });
  for (const game of [1, 2]) {
    keyferry.cws.supplier.setProduct(cwsProductId(game), {
      quantity: 20,
      prices: [{ value: 6.32, from: 1, to: null }],
    });
  }
  await mapGames(keyferry, [1, 2]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());

const AUTHORIZATION = { authorization: `Basic ${Buffer.from(`${'r'.repeat(80)}:a-password`).toString('base64')}` };

const get = (path: string): Promise<Response> =>
  fetch(`${keyferry.url}/admin/orders/${path}`, { headers: AUTHORIZATION });

const resolve = (reference: string, body: unknown): Promise<Response> =>
  fetch(`${keyferry.url}/admin/orders/${reference}/resolve`, {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function buy(game: number, g2aOrderId = nextG2aOrderId()): Promise<string> {
  const reservation = await keyferry.customer.reserve([
    { productId: g2aProductId(game), quantity: 1, unitPrice: '8.03' },
  ]);
  if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
  const order = await keyferry.customer.order(reservation.body.reservation_id, g2aOrderId);
  if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
  return order.body.order_id;
}

const stateOf = async (orderId: string): Promise<string> =>
  (await keyferry.sql('SELECT state FROM orders WHERE id = $1', [orderId]))[0].state;

describe('resolving an order over HTTP', () => {
  it('shows what would change, changes it, says who did it, and is the same when repeated', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'refusesPrice', subject: cwsProductId(2) });
    const g2aOrderId = nextG2aOrderId();
    const orderId = await buy(2, g2aOrderId);
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention', attention_reason = 'a test' WHERE id = $1`, [
      orderId,
    ]);
    const decision = { resolution: 'refunded', note: ' paid back in the panel ' };

    const planned = await resolve(String(g2aOrderId), { ...decision, dryRun: true });
    expect(planned.status).toBe(200);
    const expected = { orderId, from: 'needs_attention', to: 'failed', isChanged: true, missingKeys: 1 };
    expect(await planned.json()).toMatchObject({ ...expected, isDryRun: true });
    expect(await stateOf(orderId)).toBe('needs_attention');

    expect(await (await resolve(orderId, decision)).json()).toMatchObject({ ...expected, isDryRun: false });
    expect(await stateOf(orderId)).toBe('failed');
    const [audit] = await keyferry.sql(
      `SELECT actor, details FROM audit_log WHERE subject_id = $1 AND details ->> 'to' = 'failed'`,
      [orderId],
    );
    expect(audit).toMatchObject({
      actor: `admin:${'r'.repeat(58)}`,
      details: { note: 'paid back in the panel', reason: 'refunded by a person' },
    });

    expect(await (await resolve(orderId, decision)).json()).toMatchObject({ orderId, isChanged: false });
    const other = await resolve(orderId, { ...decision, resolution: 'delivered_by_hand' });
    expect([other.status, await other.json()]).toEqual([409, expect.objectContaining({ code: 'order_settled' })]);
  });

  it.each([
    [{ note: 'x' }, 'resolution'],
    [{ resolution: 'forgotten', note: 'x' }, 'resolution'],
    [{ resolution: 'refunded' }, 'note'],
    [{ resolution: 'refunded', note: '  ' }, 'note'],
    [{ resolution: 'refunded', note: 'x'.repeat(501) }, 'note'],
    [{ resolution: 'refunded', note: 'a\0b' }, 'note'],
    [{ resolution: 'refunded', note: 'x', dryRun: 'yes' }, 'dryRun'],
    [null, 'body'],
  ])('refuses %j and names the field', async (body, field) => {
    const answer = await resolve(UNKNOWN, body);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { code: 'invalid_request', message: expect.stringMatching(new RegExp(`^${field}: expected`)) },
    ]);
  });

  it.each([UNKNOWN, '42', 'nonsense'])('does not know the order %s', async (reference) => {
    const answer = await resolve(reference, { resolution: 'refunded', note: 'x' });
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'order_not_found' })]);
  });

  it('is nobody else’s business', async () => {
    const answer = await fetch(`${keyferry.url}/admin/orders/${UNKNOWN}/resolve`, { method: 'POST' });
    expect(answer.status).toBe(401);
    expect((await fetch(`${keyferry.url}/admin/orders/export?from=${TODAY}&to=${TODAY}`)).status).toBe(401);
  });
});

describe('the export over HTTP', () => {
  it('has purchases against sales with the supplier’s order ids, as CSV or JSON', async () => {
    const orderId = await buy(1);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    const [{ cws_order_id: cwsOrderId }] = await keyferry.sql(
      `SELECT cws_order_id FROM purchases WHERE state = 'completed'`,
    );

    const json = await get(`export?from=${TODAY}&to=${TOMORROW}&format=json`);
    expect([json.status, json.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await json.json()).toEqual([
      expect.objectContaining({ order_id: orderId, cws_order_id: cwsOrderId, quantity_sold: '1', total_cost: '6.32' }),
    ]);

    const csv = await get(`export?from=${TODAY}&to=${TOMORROW}`);
    expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    const [header, line, end] = (await csv.text()).split('\n');
    expect(header).toMatch(/^sold_at,g2a_order_id,order_id,/);
    expect(line).toContain(cwsOrderId);
    expect(end).toBe('');
  });

  it('is an empty list where nothing was sold', async () => {
    expect(await (await get('export?from=2020-01-01&to=2020-01-31&format=json')).json()).toEqual([]);
  });

  it.each([
    ['to=2026-01-01', 'from'],
    ['from=2026-02-30&to=2026-03-01', 'from'],
    ['from=2026-01-01&to=2026', 'to'],
    ['from=2026-01-02&to=2026-01-01', 'to'],
    ['from=2026-01-01&to=2026-01-01&format=xml', 'format'],
  ])('refuses ?%s and names the field', async (query, field) => {
    const answer = await get(`export?${query}`);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { code: 'invalid_request', message: expect.stringMatching(new RegExp(`^${field}: expected`)) },
    ]);
  });
});
