import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import type { LoggedRequest } from '../../sandbox/traffic.js';
import { CwsClient } from '../../src/cws/cws-client.js';
import { UpstreamError } from '../../src/upstream/upstream-error.js';
import { type Keyferry, mapGames, startKeyferry } from '../support/keyferry.js';

const PENDING = 1000;
const HISTORY = 'GET /v3/orders';
/** A thousand looks take a busy machine minutes; what is measured is counts, and gaps at CWS. */
const WITHIN_MS = 420_000;

let keyferry: Keyferry;
/** CWS's ids of all orders. */
let cwsOrderIds: string[] = [];

/** So many paid orders whose purchases CWS has accepted, as the API would leave them; it takes minutes to make them by it. */
beforeAll(async () => {
  keyferry = await startKeyferry({ cws: { products: 2 } });
  keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 2 * PENDING });
  await mapGames(keyferry, [1]);
  await keyferry.sync();
  keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds' });
  const [{ id: installation }] = await keyferry.sql('SELECT left(installation_id::text, 8) AS id FROM control_state');
  const placed = Array.from({ length: PENDING }, () => {
    const purchaseId = randomUUID();
    const products = [{ productId: cwsProductId(1), price: null, quantity: 1 }];
    const { orderId } = keyferry.cws.orders.place({ orderId: `KF-${installation}-${purchaseId}`, products });
    return { purchaseId, orderId };
  });
  cwsOrderIds = placed.map(({ orderId }) => orderId);
  await keyferry.sql(
    `WITH sale AS MATERIALIZED (
       SELECT purchase_id, cws_order_id, gen_random_uuid() AS id, gen_random_uuid() AS item_id, number
       FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS placed (purchase_id, cws_order_id, number)
     ), reservation AS (
       INSERT INTO reservations (id, state, expires_at) SELECT id, 'ordered', now() FROM sale
     ), reserved AS (
       INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents)
       SELECT item_id, id, $3, 1, 900, 700 FROM sale
     ), paid AS (
       INSERT INTO orders (id, reservation_id, g2a_order_id, state, deadline_at, updated_at)
       SELECT id, id, number, 'fulfilling', now() + interval '1 hour', now() - interval '1 minute' FROM sale
     ), owed AS (
       INSERT INTO order_items (id, order_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents)
       SELECT item_id, id, $3, 1, 900, 700 FROM sale
     )
     INSERT INTO purchases (id, order_item_id, cws_product_id, quantity, price_cap_cents, client_order_id, state, cws_order_id,
       lookups_checked_at)
     SELECT purchase_id, item_id, $4, 1, 1000, 'KF-' || $5 || '-' || purchase_id, 'fulfilling', cws_order_id, now() FROM sale`,
    [
      placed.map(({ purchaseId }) => purchaseId),
      placed.map(({ orderId }) => orderId),
      g2aProductId(1),
      cwsProductId(1),
      installation,
    ],
  );
  // As autovacuum would within a minute: by the numbers of an empty database each look reads whole tables.
  await keyferry.sql('ANALYZE');
}, 120_000);
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({ name: 'answers429' });
  Reflect.deleteProperty(cws(), 'orderHistory');
});

const cws = (): CwsClient => keyferry.app.get(CwsClient, { strict: false });

const looksAtHistory = (): LoggedRequest[] => keyferry.cws.traffic.requests().filter(({ route }) => route === HISTORY);

/** CWS's ids of the orders whose details were asked for, each time. */
const detailsAsked = (): string[] =>
  keyferry.cws.traffic
    .requests()
    .filter(({ method, path }) => method === 'GET' && /^\/v3\/orders\/[^/]+$/.test(path))
    .map(({ path }) => path.split('/').at(-1)!);

const count = async (condition: string): Promise<number> =>
  (await keyferry.sql(`SELECT count(*)::integer AS count FROM purchases WHERE ${condition}`))[0].count;

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + WITHIN_MS; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${WITHIN_MS / 1000} s`);
    await sleep(100);
  }
}

/** Waits until each pending purchase has been looked at once more. */
async function untilAllWereLookedAt(): Promise<void> {
  await keyferry.sql('UPDATE purchases SET poll_count = 0');
  await until(async () => (await count(`state = 'fulfilling' AND poll_count = 0`)) === 0);
}

/** Waits until those that a turn was given to have had it. */
async function untilNothingIsAsked(): Promise<void> {
  let asked: number;
  do {
    asked = detailsAsked().length;
    await sleep(2_000);
  } while (detailsAsked().length > asked);
}

/** The seconds that `work` took. */
async function timed(work: () => Promise<void>): Promise<number> {
  const startedAtMs = Date.now();
  await work();
  return (Date.now() - startedAtMs) / 1000;
}

describe('a thousand pending purchases', () => {
  it(
    'leave CWS alone for as long as it says when it has no room for the history',
    async () => {
      keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: HISTORY, times: 3, seconds: 7 });
      keyferry.cws.traffic.forget();
      await until(async () => looksAtHistory().length >= 4 && (await count('poll_count > 0')) >= 100);
      expect(detailsAsked()).toEqual([]);
      const looks = looksAtHistory().map(({ atMs }) => atMs);
      const gaps = looks.slice(1, 4).map((atMs, index) => atMs - looks[index]!);
      // Retry-After counts from the answer, atMs from the question.
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(7_000);
    },
    WITHIN_MS,
  );

  it(
    'are asked about in turns when the history never works',
    async () => {
      const failure = new UpstreamError({ system: 'cws', kind: 'rejected', subject: HISTORY, status: 403 });
      Object.assign(cws(), { orderHistory: () => Promise.reject(failure) });
      keyferry.cws.traffic.forget();
      const seconds = await timed(() => until(async () => Promise.resolve(detailsAsked().length >= 50)));
      const asked = detailsAsked();
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.length).toBeLessThanOrEqual(5 * seconds + 5);
    },
    WITHIN_MS,
  );

  it(
    'are watched with one question a second, and the details are asked for only of those that have changed',
    async () => {
      await untilNothingIsAsked();
      keyferry.cws.traffic.forget();
      const seconds = await timed(untilAllWereLookedAt);
      expect(detailsAsked()).toEqual([]);
      expect(looksAtHistory().length).toBeGreaterThan(0);
      expect(looksAtHistory().length).toBeLessThanOrEqual(seconds + 2);

      const changed = cwsOrderIds.slice(0, 40);
      for (const id of changed) keyferry.cws.orders.finish(id);
      await until(async () => (await count(`state = 'completed'`)) === changed.length);
      expect(detailsAsked().sort()).toEqual([...changed].sort());
    },
    WITHIN_MS,
  );

  it(
    'are all delivered in the end, each asked about once',
    async () => {
      keyferry.cws.traffic.forget();
      for (const id of cwsOrderIds) keyferry.cws.orders.finish(id);
      const seconds = await timed(() => until(async () => (await count(`state = 'completed'`)) === PENDING));
      const asked = detailsAsked();
      expect(new Set(asked).size).toBe(PENDING - 40);
      // One may be looked at by two jobs at once: its own, and that of its order.
      expect(asked.length).toBeLessThanOrEqual(1.1 * PENDING);
      expect(looksAtHistory().length).toBeLessThanOrEqual(seconds + 2);
      const [{ orders, keys }] = await keyferry.sql(
        `SELECT (SELECT count(*) FROM orders WHERE state = 'completed')::integer AS orders,
           (SELECT count(*) FROM keys)::integer AS keys`,
      );
      expect([orders, keys]).toEqual([PENDING, PENDING]);
    },
    WITHIN_MS,
  );
});
