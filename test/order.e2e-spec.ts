import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { nextG2aOrderId } from '../sandbox/customer.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

describe('POST /order', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry();
    for (const game of [1, 2, 3]) {
      keyferry.cws.supplier.setProduct(cwsProductId(game), {
        quantity: 200,
        prices: [{ value: 6.32, from: 1, to: null }],
      });
    }
    await mapGames(keyferry, [1, 2, 3]);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());
  afterEach(() => {
    keyferry.cws.traffic.behaviors.clear({});
  });

  async function reserve(game = 1, quantity = 1): Promise<string> {
    const answer = await keyferry.customer.reserve([{ productId: g2aProductId(game), quantity }]);
    if (!answer.ok) throw new Error(`not reserved: ${JSON.stringify(answer)}`);
    return answer.body.reservation_id;
  }

  const expireIn = (reservationId: string, milliseconds: number): Promise<unknown> =>
    keyferry.sql(
      `WITH moved AS (
         UPDATE reservations SET expires_at = now() + make_interval(secs => $2::float8 / 1000) WHERE id = $1
         RETURNING id, expires_at
       )
       UPDATE stock_holds hold SET expires_at = moved.expires_at
       FROM moved JOIN reservation_items item ON item.reservation_id = moved.id WHERE hold.reservation_item_id = item.id`,
      [reservationId, milliseconds],
    );

  const ordersOf = (reservationIds: readonly string[]): Promise<{ id: string; g2a_order_id: number }[]> =>
    keyferry.sql('SELECT id, g2a_order_id FROM orders WHERE reservation_id = ANY ($1)', [reservationIds]);

  const counts = async (): Promise<unknown> =>
    (
      await keyferry.sql(
        `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM order_items) AS items,
           (SELECT count(*) FROM audit_log WHERE subject_type IN ('order', 'reservation') AND actor = 'g2a') AS audited,
           (SELECT count(*) FROM stock_holds WHERE state = 'reserved') AS reserved`,
      )
    )[0];

  /** CWS has a single piece that nobody is promised, and we know it; what was paid before is bought by then. */
  async function leaveOne(game: number): Promise<void> {
    const id = cwsProductId(game);
    const owed = async (): Promise<unknown[]> =>
      keyferry.sql(`SELECT FROM stock_holds WHERE cws_product_id = $1 AND state = 'owed'`, [id]);
    while ((await owed()).length > 0) await sleep(10);
    await keyferry.sql(`DELETE FROM stock_holds WHERE cws_product_id = $1`, [id]);
    keyferry.cws.supplier.setProduct(id, { quantity: 1 });
    await keyferry.sql('UPDATE supplier_products SET quantity = 1 WHERE cws_product_id = $1', [id]);
  }

  const refused = (status: number, error: object) => ({ ok: false, status, error });
  const message = expect.any(String);

  it('answers 202 with an order without keys, audited, its pieces owed', async () => {
    const reservationId = await reserve(2, 3);
    const g2aOrderId = nextG2aOrderId();
    const answer = await keyferry.customer.order(reservationId, g2aOrderId);
    expect(answer).toMatchObject({
      ok: true,
      status: 202,
      body: { stock: [{ product_id: g2aProductId(2), inventory_size: 197, inventory: [] }] },
    });
    const [order] = await ordersOf([reservationId]);
    expect(answer).toMatchObject({ body: { order_id: order!.id } });
    expect(order!.g2a_order_id).toBe(g2aOrderId);
    expect(
      await keyferry.sql(
        `SELECT action, details FROM audit_log WHERE subject_id IN ($1, $2) AND actor = 'g2a' ORDER BY id OFFSET 1`,
        [reservationId, order!.id],
      ),
    ).toEqual([
      { action: 'reservation.ordered', details: { orderId: order!.id } },
      { action: 'order.accepted', details: { reservationId, g2aOrderId } },
    ]);
    await keyferry.customer.waitForKeys(order!.id, 3, 30_000);
  });

  it('answers 202 while CWS hangs, for it asks nobody', async () => {
    const reservationId = await reserve();
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 2000 });
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 2000, route: 'POST /oauth/token' });
    const answers = keyferry.customer.order(reservationId);
    expect(await Promise.race([answers, sleep(1500)])).toMatchObject({ status: 202 });
  });

  it('answers 409 to repeats, and tells the order only to the one who placed it', async () => {
    const reservationId = await reserve();
    const g2aOrderId = nextG2aOrderId();
    await keyferry.customer.order(reservationId, g2aOrderId);
    const [order] = await ordersOf([reservationId]);
    const before = await counts();
    for (let call = 0; call < 2; call += 1) {
      expect(await keyferry.customer.order(reservationId, g2aOrderId)).toEqual({
        ...refused(409, { code: 'order_exists', message, order_id: order!.id }),
        retryAfterSeconds: null,
      });
    }
    expect(await keyferry.customer.order(reservationId)).toEqual({
      ...refused(409, { code: 'order_exists', message }),
      retryAfterSeconds: null,
    });
    // Long after the reservation would have expired as well.
    await keyferry.sql(`UPDATE reservations SET expires_at = now() - interval '1 day' WHERE id = $1`, [reservationId]);
    expect(await keyferry.customer.order(reservationId, g2aOrderId)).toMatchObject(
      refused(409, { code: 'order_exists', order_id: order!.id }),
    );
    expect(await counts()).toEqual(before);
  });

  it('answers 409 for a G2A order id that belongs to another reservation, which can still be ordered', async () => {
    const [first, second] = [await reserve(), await reserve()];
    const g2aOrderId = nextG2aOrderId();
    await keyferry.customer.order(first, g2aOrderId);
    const before = await counts();
    expect(await keyferry.customer.order(second, g2aOrderId)).toEqual({
      ...refused(409, { code: 'g2a_order_id_taken', message }),
      retryAfterSeconds: null,
    });
    expect(await counts()).toEqual(before);
    expect((await keyferry.customer.order(second)).status).toBe(202);
  });

  it('answers 410 when the reservation has expired, until it is renewed', async () => {
    const reservationId = await reserve();
    await expireIn(reservationId, 0);
    const before = await counts();
    expect(await keyferry.customer.order(reservationId)).toMatchObject(refused(410, { code: 'reservation_expired' }));
    expect(await counts()).toEqual(before);
    expect((await keyferry.customer.renew(reservationId)).status).toBe(200);
    expect((await keyferry.customer.order(reservationId)).status).toBe(202);
  });

  it('makes one order of 50 identical calls at once', async () => {
    const reservationId = await reserve();
    const g2aOrderId = nextG2aOrderId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => keyferry.customer.order(reservationId, g2aOrderId)),
    );
    const [order, ...others] = await ordersOf([reservationId]);
    expect(others).toEqual([]);
    expect(answers.filter((answer) => answer.status === 202)).toMatchObject([{ body: { order_id: order!.id } }]);
    for (const answer of answers) {
      if (!answer.ok) expect(answer).toMatchObject(refused(409, { code: 'order_exists', order_id: order!.id }));
    }
  });

  it('makes one order of 50 calls at once with different G2A order ids', async () => {
    const reservationId = await reserve();
    const answers = await Promise.all(Array.from({ length: 50 }, () => keyferry.customer.order(reservationId)));
    expect(await ordersOf([reservationId])).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok) expect(answer.error).toEqual({ code: 'order_exists', message });
    }
  });

  it('makes one order of one G2A order id for 20 reservations at once', async () => {
    const reservationIds = await Promise.all(Array.from({ length: 20 }, () => reserve()));
    const g2aOrderId = nextG2aOrderId();
    const answers = await Promise.all(reservationIds.map((id) => keyferry.customer.order(id, g2aOrderId)));
    expect(await ordersOf(reservationIds)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok) expect(answer.error).toEqual({ code: 'g2a_order_id_taken', message });
    }
  });

  it('never sells the last piece to a late payer and to the next customer', async () => {
    // The piece changes hands about when the reservation expires; whoever is later must be refused.
    const outcomes: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      await leaveOne(3);
      const reservationId = await reserve(3);
      await expireIn(reservationId, 20);
      const late = sleep(round * 3).then(() => keyferry.customer.order(reservationId));
      const next = Array.from({ length: 12 }, (_, call) =>
        sleep(call * 4).then(() => keyferry.customer.reserve([{ productId: g2aProductId(3), quantity: 1 }])),
      );
      const isPaid = (await late).status === 202;
      const answers = await Promise.all(next);
      const sold = answers.flatMap((answer) => (answer.ok ? [answer.body.reservation_id] : []));
      outcomes.push(sold.length + Number(isPaid));
      await Promise.all(sold.map((id) => keyferry.customer.release(id)));
    }
    expect(Math.max(...outcomes)).toBe(1);
  });
});
