import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { Customer } from '../sandbox/customer.js';
import { type Keyferry, OUR_CLIENT, startKeyferry } from './support/keyferry.js';
import { left, refused, reservationSteps } from './support/reservation-steps.js';

let keyferry: Keyferry;
const { tryReserve, reserve, expire, restock } = reservationSteps(() => keyferry);

describe('a reservation on old snapshots', () => {
  beforeAll(async () => {
    keyferry = await startKeyferry({ environment: { RESERVATION_STOCK_MAX_AGE_SECONDS: '10' } });
    for (const game of [1, 2, 3, 4, 5, 6]) await restock(game, 50);
    await keyferry.sync();
  });
  // A call may still be under way here: nothing of it may outlive the application.
  afterAll(() => keyferry.stop());
  beforeEach(() => {
    keyferry.cws.traffic.forget();
  });
  afterEach(() => {
    keyferry.cws.traffic.behaviors.clear({});
  });

  const age = async (seconds: number): Promise<void> => {
    await keyferry.sql(`UPDATE product_mapping_suppliers SET mapped_at = now() - interval '1 day'`);
    await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now() - interval '1 day'`);
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - make_interval(secs => $1)`, [seconds]);
  };
  const asked = (): string[] =>
    keyferry.cws.traffic
      .requests()
      .filter((request) => request.route.startsWith('GET /v3/products'))
      .map(({ path, query }) => query['productIds'] ?? path.replace(/.*\//, ''));
  const hang = (): void => {
    // A single product has another route, and the list when that has no room.
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', hangs: true });
  };

  it('asks nobody while the snapshot is recent, or the feed vouches for it', async () => {
    await age(5);
    expect(await tryReserve(1)).toMatchObject({ ok: true });
    await age(20);
    await keyferry.sql('UPDATE sync_cursors SET pass_started_at = now()');
    expect(await tryReserve(1)).toMatchObject({ ok: true });
    expect(asked()).toEqual([]);
  });

  it('asks CWS once for all of its products and all who want them, and believes the answer', async () => {
    await age(20);
    keyferry.cws.supplier.setProduct(cwsProductId(2), { quantity: 2 });
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1500, route: 'GET /v3/products' });
    const wanted = [2, 3].map((game) => ({ productId: g2aProductId(game), quantity: 1 }));
    const answers = await Promise.all(Array.from({ length: 10 }, () => keyferry.customer.reserve(wanted)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(2);
    for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(refused(400, 'insufficient_stock'));
    expect(asked().map((ids) => ids.split(',').sort())).toEqual([[cwsProductId(2), cwsProductId(3)]]);
  });

  it('asks about a product that was never seen', async () => {
    await restock(7, 4);
    expect(await tryReserve(7)).toMatchObject(left(7, 3));
    expect(asked()).toEqual([cwsProductId(7)]);
  });

  it('takes the word of CWS that a product is gone', async () => {
    await age(20);
    keyferry.cws.supplier.setProduct(cwsProductId(6), { gone: true });
    expect(await tryReserve(6)).toMatchObject(refused(400, 'insufficient_stock'));
  });

  it('asks again for an expired reservation that is renewed', async () => {
    await age(5);
    const id = await reserve(4);
    await expire(id);
    await age(20);
    keyferry.cws.supplier.setProduct(cwsProductId(4), { quantity: 0 });
    expect(await keyferry.customer.renew(id)).toMatchObject(refused(400, 'insufficient_stock'));
    expect(asked()).toEqual([cwsProductId(4)]);
  });

  it.each([
    [
      'fails',
      () => {
        keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products/:productId' });
      },
    ],
    [
      'has no room',
      () => {
        keyferry.cws.traffic.behaviors.set({ name: 'answers429', seconds: 1 });
      },
    ],
    ['hangs', hang],
  ])('serves from the snapshot while it is fresh when CWS %s', async (_case, misbehave) => {
    await age(100);
    misbehave();
    expect(await tryReserve(1)).toMatchObject({ ok: true });
  });

  it('answers 503 with Retry-After when CWS hangs and the snapshot is stale, within the patience of G2A', async () => {
    await age(301);
    // A stale alternative is no reason to refuse what a fresh supplier has.
    await keyferry.sql('UPDATE supplier_products SET requested_at = now() WHERE cws_product_id = $1', [
      cwsProductId(5),
    ]);
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [g2aProductId(5), cwsProductId(1)]);
    hang();
    const patient = new Customer({ baseUrl: keyferry.url, ...OUR_CLIENT, answerTimeoutMs: 9_000 });
    const [stale, fresh] = await Promise.all([
      patient.reserve([{ productId: g2aProductId(1), quantity: 1 }]),
      tryReserve(5),
    ]);
    expect(stale).toMatchObject({ ...refused(503, 'stock_unknown'), retryAfterSeconds: 30 });
    expect(fresh).toMatchObject({ ok: true });
  });

  it('stores an answer that comes after the customer was served', async () => {
    await age(100);
    keyferry.cws.supplier.setProduct(cwsProductId(3), { quantity: 77 });
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 3500 });
    const quantity = async (): Promise<number> =>
      (await keyferry.sql('SELECT quantity FROM supplier_products WHERE cws_product_id = $1', [cwsProductId(3)]))[0]
        .quantity;
    expect(await tryReserve(3)).toMatchObject({ ok: true });
    expect(await quantity()).not.toBe(77);
    for (let tries = 0; (await quantity()) !== 77; tries += 1) {
      if (tries > 100) throw new Error('the late answer was not stored');
      await sleep(50);
    }
  });
});
