import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { Customer } from '../sandbox/customer.js';
import { LiveStockService } from '../src/orders/live-stock.service.js';
import { WatchBalanceService } from '../src/orders/watch-balance.service.js';
import { type Keyferry, OUR_CLIENT, startKeyferry } from './support/keyferry.js';
import { left, refused, reservationSteps } from './support/reservation-steps.js';

let keyferry: Keyferry;
const { tryReserve, reserve, expire, restock } = reservationSteps(() => keyferry);

describe('a reservation on old snapshots', () => {
  beforeAll(async () => {
    keyferry = await startKeyferry({ environment: { RESERVATION_STOCK_MAX_AGE_SECONDS: '10' } });
    for (const game of [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15]) await restock(game, 50);
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

  /** The feed vouches for snapshots of that age. */
  const ageButFeed = async (seconds: number): Promise<void> => {
    await age(seconds);
    await keyferry.sql('UPDATE sync_cursors SET pass_started_at = now()');
  };
  /** Our snapshot of a game, whatever CWS has. */
  const know = (game: number, { quantity = 50, cents = 632 }): Promise<unknown> =>
    keyferry.sql(
      `UPDATE supplier_products SET quantity = $2,
         price_bands = jsonb_build_array(jsonb_build_object('fromQuantity', 1, 'toQuantity', NULL, 'unitPrice', $3::integer))
       WHERE cws_product_id = $1`,
      [cwsProductId(game), quantity, cents],
    );
  /** What was reserved is bought now. */
  const buy = (reservationId: string): Promise<unknown> =>
    keyferry.sql(
      `UPDATE stock_holds SET state = 'bought', expires_at = NULL, bought_at = clock_timestamp()
       WHERE reservation_item_id IN (SELECT id FROM reservation_items WHERE reservation_id = $1)`,
      [reservationId],
    );
  /** Waits as long as the test may take. */
  const patient = (): Customer => new Customer({ baseUrl: keyferry.url, ...OUR_CLIENT, answerTimeoutMs: 60_000 });

  it('asks nobody while the snapshot is recent, or the feed vouches for it', async () => {
    await age(5);
    expect(await tryReserve(1)).toMatchObject({ ok: true });
    await ageButFeed(20);
    expect(await tryReserve(1)).toMatchObject({ ok: true });
    expect(asked()).toEqual([]);
  });

  it('asks for every reservation while the feed is not believed, however recent the snapshot is', async () => {
    await ageButFeed(2);
    await keyferry.sql('UPDATE sync_cursors SET unreliable_since = now()');
    keyferry.cws.supplier.setProduct(cwsProductId(5), { quantity: 1 });
    expect(await tryReserve(5)).toMatchObject(left(5, 0));
    expect(await tryReserve(5)).toMatchObject(refused(400, 'insufficient_stock'));
    expect(asked()).toEqual([cwsProductId(5), cwsProductId(5)]);
    await keyferry.sql('UPDATE sync_cursors SET unreliable_since = NULL');
    keyferry.cws.supplier.setProduct(cwsProductId(5), { quantity: 50 });
    await know(5, {});
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
    ['a restock', { quantity: 0 }],
    ['a price that has fallen', { cents: 683 }],
  ])('finds %s that the feed has not mentioned, before a customer is turned away', async (_case, known) => {
    await ageButFeed(20);
    await know(8, known);
    expect(await tryReserve(8)).toMatchObject({ ok: true });
    expect(asked()).toEqual([cwsProductId(8)]);
  });

  it.each([
    ['insufficient_stock', { quantity: 0 }],
    ['price_too_low', { cents: 683 }],
  ])('asks nobody before it refuses with %s what CWS itself has said just now', async (code, known) => {
    await ageButFeed(5);
    await know(8, known);
    expect(await tryReserve(8)).toMatchObject(refused(400, code));
    expect(asked()).toEqual([]);
  });

  it('asks CWS once for a crowd that it turns away', async () => {
    await ageButFeed(20);
    await know(9, { quantity: 0 });
    keyferry.cws.supplier.setProduct(cwsProductId(9), { quantity: 0 });
    const customer = patient();
    await customer.token();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => customer.reserve([{ productId: g2aProductId(9), quantity: 1 }])),
    );
    for (const answer of answers) expect(answer).toMatchObject(refused(400, 'insufficient_stock'));
    expect(asked()).toEqual([cwsProductId(9)]);
  });

  it('refuses nobody for a piece that CWS had sold when it was asked, and that counts as spoken for still', async () => {
    await age(5);
    const reservationId = await reserve(12);
    await buy(reservationId);
    keyferry.cws.supplier.setProduct(cwsProductId(12), { quantity: 1 });
    await know(12, { quantity: 1 });
    await age(5);
    expect(await tryReserve(12)).toMatchObject(left(12, 0));
    expect(asked()).toEqual([cwsProductId(12)]);
    expect(await tryReserve(12)).toMatchObject(refused(400, 'insufficient_stock'));
    expect(asked()).toEqual([cwsProductId(12)]);
  });

  it('does not take the answer to a question that was sent before the purchase for a newer one', async () => {
    await age(5);
    const reservationId = await reserve(13);
    keyferry.cws.supplier.setProduct(cwsProductId(13), { quantity: 1 });
    await know(13, { quantity: 1 });
    await age(5);
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1000, times: 1 });
    const earlier = keyferry.app.get(LiveStockService).refresh([cwsProductId(13)]);
    while (asked().length === 0) await sleep(10);
    await buy(reservationId);
    expect(await tryReserve(13)).toMatchObject(left(13, 0));
    expect(asked()).toEqual([cwsProductId(13), cwsProductId(13)]);
    await earlier;
  });

  it('asks once more when a piece was bought while CWS was asked for the age of its snapshot', async () => {
    await age(5);
    const reservationId = await reserve(14);
    keyferry.cws.supplier.setProduct(cwsProductId(14), { quantity: 1 });
    await age(100);
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1000, times: 1 });
    const answer = tryReserve(14);
    while (asked().length === 0) await sleep(10);
    await buy(reservationId);
    expect(await answer).toMatchObject(left(14, 0));
    expect(asked()).toEqual([cwsProductId(14), cwsProductId(14)]);
  });

  it('asks for a product that would turn the customer away, though another one was asked for already', async () => {
    await age(5);
    const reservationId = await reserve(15);
    keyferry.cws.supplier.setProduct(cwsProductId(15), { quantity: 1 });
    await know(15, { quantity: 1 });
    await age(5);
    await buy(reservationId);
    await keyferry.sql(
      `UPDATE supplier_products SET requested_at = now() - interval '100 seconds' WHERE cws_product_id = $1`,
      [cwsProductId(1)],
    );
    const items = [1, 15].map((game) => ({ productId: g2aProductId(game), quantity: 1 }));
    expect(await keyferry.customer.reserve(items)).toMatchObject({ ok: true });
    expect(asked()).toEqual([cwsProductId(1), cwsProductId(15)]);
  });

  it('does not leave a customer to a question from spare room, but asks one that gets through', async () => {
    await age(100);
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', hangs: true, times: 1 });
    const spare = keyferry.app.get(LiveStockService).refresh([cwsProductId(10)], { priority: 'spare' });
    for (let tries = 0; asked().length === 0; tries += 1) {
      if (tries > 500) throw new Error('the question from spare room was not asked');
      await sleep(20);
    }
    keyferry.cws.supplier.setProduct(cwsProductId(10), { quantity: 3 });
    expect(await tryReserve(10)).toMatchObject(left(10, 2));
    expect(asked()).toEqual([cwsProductId(10), cwsProductId(10)]);
    await spare;
  });

  it('waits for CWS twice at most, once for the stock and once for the balance, however it hangs', async () => {
    await age(100);
    // The question before this one was answered so long ago that the next is due, and not so long that it is asked by itself.
    await keyferry.sql(
      `UPDATE account_balance SET total_to_use_cents = 0, asked_at = now(), tried_at = now() - interval '6 seconds'`,
    );
    hang();
    const waits = [LiveStockService, WatchBalanceService].map((service) =>
      jest.spyOn(keyferry.app.get<{ refresh: () => Promise<void> }>(service), 'refresh'),
    );
    expect(await patient().reserve([{ productId: g2aProductId(11), quantity: 1 }])).toMatchObject(
      refused(400, 'balance_too_low'),
    );
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    expect(new Set(asked())).toEqual(new Set([cwsProductId(11)]));
    const { requests } = keyferry.cws.traffic.counters()['GET /v3/accounts/current']!;
    expect(requests).toBe(1);
    jest.restoreAllMocks();
    await keyferry.sql('UPDATE account_balance SET total_to_use_cents = 10000000');
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

  it('answers 503 with Retry-After when CWS hangs and the snapshot is stale', async () => {
    await age(301);
    // A stale alternative is no reason to refuse what a fresh supplier has.
    await keyferry.sql('UPDATE supplier_products SET requested_at = now() WHERE cws_product_id = $1', [
      cwsProductId(5),
    ]);
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [g2aProductId(5), cwsProductId(1)]);
    hang();
    const [stale, fresh] = await Promise.all([
      patient().reserve([{ productId: g2aProductId(1), quantity: 1 }]),
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
