import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { FollowHintsService } from '../src/postbacks/follow-hints.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { type PostbackOptions, sendPostback, until } from './support/postback-steps.js';

describe('a postback of CWS', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry();
    await mapGames(keyferry, [1, 2, 3, 4, 5]);
    for (const game of [1, 2, 3, 4, 5]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 20 });
    // From here on only a question by id tells what CWS has; and nobody asks by himself: the clock ticks once an hour.
    keyferry.cws.traffic.behaviors.set({ name: 'feedHidesChanges' });
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  const send = (body: object, options?: PostbackOptions): Promise<number> => sendPostback(keyferry, body, options);
  const shownSize = (game: number): number => keyferry.g2a.marketplace.offer(g2aOfferId(game)).size;
  const knownQuantity = async (game: number): Promise<number> =>
    (await keyferry.sql('SELECT quantity FROM supplier_products WHERE cws_product_id = $1', [cwsProductId(game)]))[0]
      .quantity;
  /** Which products CWS was asked about, question by question. */
  const questions = (): string[][] =>
    keyferry.cws.traffic.requests().flatMap(({ query }) => (query.productIds ? [query.productIds.split(',')] : []));

  it.each([
    ['STOCK', 1, (id: string) => ({ products: [{ productId: id, quantity: 999, prices: [] }] })],
    ['PRODUCT_UPDATED', 2, (id: string) => ({ productId: id })],
  ])('of type %s has the product fetched, and its offer follows what CWS answers then', async (type, game, fields) => {
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 7 });
    expect(await send({ type, ...fields(cwsProductId(game)) })).toBe(204);
    await until(() => shownSize(game) === 7, 'the offer shows the new stock');
  });

  it('of type PRODUCT_HIDDEN has the offer of a product that is gone switched off', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(2), { gone: true });
    expect(await send({ type: 'PRODUCT_HIDDEN', productId: cwsProductId(2) })).toBe(204);
    await until(() => !keyferry.g2a.marketplace.offer(g2aOfferId(2)).active, 'the offer is off');
  });

  it('is followed once CWS answers again: what was hidden is in no feed', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products' });
    keyferry.cws.supplier.setProduct(cwsProductId(5), { gone: true });
    const before = questions().length;
    await send({ type: 'PRODUCT_HIDDEN', productId: cwsProductId(5) });
    await until(() => questions().length >= before + 2, 'CWS was asked, and asked again');
    keyferry.cws.traffic.behaviors.clear({ name: 'answers500' });
    await until(() => !keyferry.g2a.marketplace.offer(g2aOfferId(5)).active, 'the offer is off');
    keyferry.cws.supplier.setProduct(cwsProductId(5), { gone: false });
    await send({ type: 'PRODUCT_UPDATED', productId: cwsProductId(5) });
    await until(() => keyferry.g2a.marketplace.offer(g2aOfferId(5)).active, 'the offer is on again');
  });

  it('is one of a burst: each product is asked for once or twice, not once per postback, and unmapped ones never', async () => {
    keyferry.cws.traffic.forget();
    for (const game of [3, 4]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 6 });
    const burst = Array.from({ length: 40 }, (_, index) => cwsProductId([3, 4, 30][index % 3]!));
    const answers = await Promise.all(burst.map((id) => send({ type: 'STOCK', products: [{ productId: id }] })));
    expect(new Set(answers)).toEqual(new Set([204]));
    await until(() => shownSize(3) === 6 && shownSize(4) === 6, 'both offers show the new stock');
    expect(questions().length).toBeLessThan(burst.length / 2);
    for (const ids of questions()) expect(ids).toEqual([...new Set(ids)]);
    expect(new Set(questions().flat())).toEqual(new Set([3, 4].map(cwsProductId)));
  });

  it.each([
    ['with a wrong hash', { authHash: 'a'.repeat(64) }],
    ['with an empty hash', { authHash: '' }],
    ['with the hash of the client id alone', { authHash: createHash('sha256').update('sandbox-client').digest('hex') }],
  ])('that is not verified (%s) gets 401, and nothing is asked or changed', async (_case, options) => {
    keyferry.cws.supplier.setProduct(cwsProductId(5), { quantity: 3 });
    keyferry.cws.traffic.forget();
    expect(await send({ type: 'STOCK', products: [{ productId: cwsProductId(5), quantity: 3 }] }, options)).toBe(401);
    // A good one after it: had the bad one been followed, so it would be by now.
    const stock = shownSize(3) + 1;
    keyferry.cws.supplier.setProduct(cwsProductId(3), { quantity: stock });
    expect(await send({ type: 'PRODUCT_UPDATED', productId: cwsProductId(3) })).toBe(204);
    await until(() => shownSize(3) === stock, 'the good one is followed');
    expect(questions().flat()).not.toContain(cwsProductId(5));
    expect(await knownQuantity(5)).toBe(20);
  });

  it('is refused in the shape of every other error', async () => {
    const post = async (body: string, type = 'application/json') => {
      const answer = await fetch(`${keyferry.url}/cws/postback`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      return [answer.status, await answer.json()];
    };
    const refused = (status: number, code: string) => [status, { code, message: expect.any(String) }];
    expect(await post('{}')).toEqual(refused(401, 'unauthorized'));
    expect(await post('')).toEqual(refused(401, 'unauthorized'));
    expect(await post('[]')).toEqual(refused(401, 'unauthorized'));
    expect(await post('{"authHash":')).toEqual(refused(400, 'malformed_body'));
    expect(await post('x', 'text/plain')).toEqual(refused(415, 'unsupported_media_type'));
    expect(await post(JSON.stringify({ a: 'x'.repeat(70_000) }))).toEqual(refused(413, 'body_too_large'));
    const get = await fetch(`${keyferry.url}/cws/postback`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('of a type that nobody knows, or without anything to look at, is taken and changes nothing', async () => {
    expect(await send({ type: 'CURRENCY_CHANGED', to: 'GBP' })).toBe(204);
    expect(await send({ type: 'STOCK', products: 'all' })).toBe(204);
    expect(await send({ type: 'PREORDER', orderId: 'of another installation' })).toBe(204);
  });

  it('of type PREORDER has the order looked at now, and its key arrives', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'preorderCodes', subject: cwsProductId(4) });
    const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(4), quantity: 1 }]);
    if (!reservation.ok) throw new Error(JSON.stringify(reservation));
    const order = await keyferry.customer.order(reservation.body.reservation_id);
    if (!order.ok) throw new Error(JSON.stringify(order));
    const purchases = (): Promise<{ cws_order_id: string; client_order_id: string }[]> =>
      keyferry.sql(`SELECT cws_order_id, client_order_id FROM purchases WHERE awaited_preorders = 1`);
    await until(async () => (await purchases()).length === 1, 'CWS has sold a pre-order');
    const [purchase] = await purchases();
    // Weeks later the next look is far away.
    const wait = `UPDATE pgboss.job SET start_after = now() + interval '1 hour'
                  WHERE name = 'poll-purchase' AND state = 'created' RETURNING id`;
    await until(async () => (await keyferry.sql(wait))[0].length > 0, 'the next look waits');
    keyferry.cws.orders.finish(purchase!.client_order_id);
    expect(await send({ type: 'PREORDER', orderId: purchase!.cws_order_id })).toBe(204);
    await keyferry.customer.waitForKeys(order.body.order_id, 1, 20_000);
  });
});

describe('postbacks without end', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    // 4 for postbacks of all replicas.
    keyferry = await startKeyferry({ environment: { CWS_PRODUCTS_RATE: '40/600s' } });
    await mapGames(keyferry, [1, 2, 3, 4]);
    keyferry.cws.traffic.forget();
  });
  afterAll(() => keyferry.stop());

  const questions = () => keyferry.cws.traffic.requests().flatMap(({ query }) => query.productIds ?? []);
  const hint = (...games: number[]) => ({ cwsProductIds: games.map(cwsProductId), cwsOrderIds: [] });

  it('of products that are not mapped take no place among those that wait for room', async () => {
    const hints = keyferry.app.get(FollowHintsService);
    for (const game of [1, 2, 3, 4]) {
      hints.note(hint(game));
      await until(() => questions().length === game, 'its share of the limit is used piece by piece');
    }
    const strangers = Array.from({ length: 1500 }, (_, index) => cwsProductId(1000 + index));
    hints.note({ cwsProductIds: strangers, cwsOrderIds: [] });
    await sleep(300);
    hints.note({ cwsProductIds: [...strangers, cwsProductId(3)], cwsOrderIds: [] });
    await sleep(300);
    keyferry.cws.traffic.forget();
    await keyferry.sql(`DELETE FROM request_leases WHERE budget_name = 'cws postbacks'`);
    await until(() => questions().length === 1, 'there is room again');
    expect(questions()[0]!.split(',')).toContain(cwsProductId(3));
    expect(questions()[0]!.split(',').length).toBeLessThanOrEqual(4);
  });
});
