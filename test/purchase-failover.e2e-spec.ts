import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { MatchSupplierOrdersService } from '../src/orders/match-supplier-orders.service.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { PurchaseOrderService } from '../src/orders/purchase-order.service.js';
import { CallPersonService } from '../src/orders/call-person.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { isRefused, purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const POST = 'POST /v3/orders';

let keyferry: Keyferry;
const { buy, sold, sent, purchases, stateOf, until, openAlerts, keepUnsent } = purchaseSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry({
    cws: { products: 20, alternatives: 20 },
    environment: { PURCHASE_SETTLE_SECONDS: '600', PURCHASE_RESET_SETTLE_SECONDS: '300' },
  });
  for (const game of GAMES) restock(cwsProductId(game), 6.32);
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

function restock(productId: string, cost: number): void {
  keyferry.cws.supplier.setProduct(productId, { quantity: 20, prices: [{ value: cost, from: 1, to: null }] });
}

/** A second, dearer supplier for a game; the first one stays the cheapest. */
async function addSupplier(game: number): Promise<void> {
  restock(cwsAlternativeProductId(game), 6.5);
  await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
    g2aProductId(game),
    cwsAlternativeProductId(game),
  ]);
  await keyferry.sync();
}

/** Requests to buy a game, those under way included. */
const postsOf = (game: number): number => sent(game).length;

const suppliersOf = (orderId: string): Promise<{ cws_product_id: string; state: string }[]> =>
  keyferry.sql(
    `SELECT cws_product_id, purchase.state FROM purchases purchase JOIN order_items item ON item.id = order_item_id
     WHERE order_id = $1 ORDER BY purchase.created_at`,
    [orderId],
  );

/** Only what wakes the order by itself is seen. */
const delayJobs = (): Promise<unknown> =>
  keyferry.sql(
    `UPDATE pgboss.job SET start_after = now() + interval '1 hour' WHERE name = 'purchase-order' AND state = 'created'`,
  );

/** Whether the job of an order waits for its time. */
const waiting = async (orderId: string): Promise<boolean> => {
  const jobs = await keyferry.sql(
    `SELECT start_after > now() + interval '5 seconds' AS "isLater" FROM pgboss.job
     WHERE name = 'purchase-order' AND state IN ('created', 'active', 'retry') AND data ->> 'orderId' = $1`,
    [orderId],
  );
  return jobs.length === 1 && jobs[0].isLater;
};

const passDeadline = (orderId: string): Promise<unknown> =>
  keyferry.sql('UPDATE orders SET deadline_at = now() WHERE id = $1', [orderId]);

const reasonOf = async (orderId: string): Promise<string> =>
  (await keyferry.sql(`SELECT coalesce(attention_reason, '') AS reason FROM orders WHERE id = $1`, [orderId]))[0]
    .reason;

describe('a supplier that refuses and shows the same as before', () => {
  it.each(['refusesPrice', 'sellsOutMidOrder'] as const)('is passed over for another one (%s)', async (name) => {
    const game = name === 'refusesPrice' ? 1 : 2;
    await addSupplier(game);
    keyferry.cws.traffic.behaviors.set({ name, subject: cwsProductId(game) });
    const orderId = await buy(game);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(await suppliersOf(orderId)).toEqual([
      { cws_product_id: cwsProductId(game), state: 'dead' },
      { cws_product_id: cwsAlternativeProductId(game), state: 'completed' },
    ]);
  });

  it('is passed over also when only its stock has moved after it took an order back', async () => {
    await addSupplier(10);
    keyferry.cws.traffic.behaviors.set({ name: 'cancelsOrder', subject: cwsProductId(10) });
    const orderId = await buy(10);
    await until(async () => (await suppliersOf(orderId)).some(({ state }) => state === 'dead'), { isHurried: false });
    keyferry.cws.supplier.setProduct(cwsProductId(10), { quantity: 19 });
    await keyferry.sync();
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect((await suppliersOf(orderId)).map(({ cws_product_id: id }) => id)).toEqual([
      cwsProductId(10),
      cwsAlternativeProductId(10),
    ]);
  });

  it('is asked anew first: after a rise of a cent it is still the cheapest', async () => {
    await addSupplier(11);
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, times: 1, seconds: 3 });
    const orderId = await buy(11);
    await until(async () => (await purchases(orderId)).some(isRefused), { isHurried: false });
    restock(cwsProductId(11), 6.33);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await suppliersOf(orderId)).toEqual([
      { cws_product_id: cwsProductId(11), state: 'dead' },
      { cws_product_id: cwsProductId(11), state: 'completed' },
    ]);
  });

  it('is asked again after a second rise of a cent: the other one is dearer still', async () => {
    await addSupplier(14);
    restock(cwsProductId(14), 6.33);
    keyferry.cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 500, route: POST, times: 2 });
    const orderId = await buy(14);
    await until(async () => Promise.resolve(postsOf(14) === 2), { isHurried: false });
    restock(cwsProductId(14), 6.34);
    await until(async () => (await stateOf(orderId)) === 'completed', { isHurried: false });
    expect(await suppliersOf(orderId)).toEqual([
      { cws_product_id: cwsProductId(14), state: 'dead' },
      { cws_product_id: cwsProductId(14), state: 'dead' },
      { cws_product_id: cwsProductId(14), state: 'completed' },
    ]);
  });

  it('is asked again where there is no other', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'refusesPrice', subject: cwsProductId(3), times: 1 });
    await keyferry.customer.waitForKeys(await buy(3), 1, 20_000);
    expect(sent(3)).toHaveLength(2);
  });
});

describe('an order that waits because no supplier can serve', () => {
  it('is bought as soon as a supplier shows something better', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(4), { quantity: 1 });
    await keyferry.sync();
    keyferry.cws.supplier.setProduct(cwsProductId(4), { quantity: 0 });
    const orderId = await buy(4);
    // It has come to nothing, nobody else can serve, and the order waits for its next look.
    await until(async () => (await waiting(orderId)) && (await purchases(orderId))[0]?.state === 'dead', {
      isHurried: false,
    });
    // As if it had been refused a while ago.
    await keyferry.sql(`UPDATE purchases SET refused_at = now() - interval '1 minute' WHERE cws_product_id = $1`, [
      cwsProductId(4),
    ]);
    await delayJobs();
    restock(cwsProductId(4), 6.32);
    await keyferry.sync();
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
  });

  it('calls a person after the deadline, with the numbers', async () => {
    restock(cwsProductId(5), 6.99);
    const orderId = await buy(5);
    await until(async () => (await purchases(orderId)).length > 0);
    await passDeadline(orderId);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(await reasonOf(orderId)).toMatch(
      new RegExp(
        `^product ${g2aProductId(5)}: 1 of 1 key could not be bought in time: the cheapest supplier in stock asks 6\\.99 EUR, the sale leaves 6\\.\\d\\d EUR; last try: .+`,
      ),
    );
    expect(sold(5)).toEqual([]);
  });

  it('calls nobody while there is time, nor once the keys have come', async () => {
    const calling = keyferry.app.get(CallPersonService, { strict: false });
    keyferry.cws.traffic.behaviors.set({ name: 'sellsOutMidOrder', subject: cwsProductId(6) });
    const orderId = await buy(6);
    await calling.call(orderId);
    keyferry.cws.traffic.behaviors.clear({});
    restock(cwsProductId(6), 6.32);
    await until(async () => (await stateOf(orderId)) === 'completed');
    await passDeadline(orderId);
    await calling.call(orderId);
    expect(await stateOf(orderId)).toBe('completed');
    expect((await openAlerts()).filter(({ subject }) => subject === orderId)).toEqual([]);
  });
});

describe('a purchase that CWS has no room for', () => {
  it('is not sent again before CWS has room by its own word, whatever looks at it', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, times: 1, seconds: 9 });
    const orderId = await buy(15);
    await until(async () => isRefused((await purchases(orderId))[0]), { isHurried: false });
    const [{ id, room }] = await keyferry.sql(
      `SELECT id, extract(epoch FROM not_before - now())::float8 AS room FROM purchases WHERE cws_product_id = $1`,
      [cwsProductId(15)],
    );
    expect(room).toBeGreaterThan(1);
    expect(room).toBeLessThanOrEqual(9);
    for (let look = 1; look <= 3; look += 1) {
      await keyferry.app.get(PollPurchaseService, { strict: false }).poll(id);
      await keyferry.app.get(PurchaseOrderService, { strict: false }).advance(orderId);
    }
    expect(sent(15)).toHaveLength(1);
    // Both jobs wait as long.
    const [{ waiting }] = await keyferry.sql(
      `SELECT extract(epoch FROM min(start_after) - now())::float8 AS waiting FROM pgboss.job
       WHERE state = 'created' AND name = 'purchase-order' AND singleton_key = $1`,
      [orderId],
    );
    expect(waiting).toBeGreaterThan(0);

    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(sent(15)).toHaveLength(2);
    expect(new Set(sent(15)).size).toBe(1);
  });
});

describe('an order that a person was called for in time', () => {
  it('goes on with an item that CWS had no room for', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
    const orderId = await buy([7, 8]);
    await keepUnsent(orderId, cwsProductId(7));
    await until(async () => (await purchases(orderId)).filter(isRefused).length === 2, { isHurried: false });
    await keyferry.sql(
      `UPDATE purchases SET state = 'unknown', send_count = 1, send_claimed_at = now(), settles_at = now() + interval '1 hour' WHERE cws_product_id = $1`,
      [cwsProductId(7)],
    );
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention', attention_reason = 'a test' WHERE id = $1`, [
      orderId,
    ]);
    keyferry.cws.traffic.behaviors.clear({});
    await until(async () => (await purchases(orderId)).some(({ state }) => state === 'completed'));
    expect(sold(8)).toHaveLength(1);
    expect(await stateOf(orderId)).toBe('needs_attention');
  });

  it('has the reasons of all its items told', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
    const orderId = await buy([12, 13]);
    await keepUnsent(orderId, cwsProductId(12));
    await until(async () => (await purchases(orderId)).length === 2, { isHurried: false });
    await keyferry.sql(
      `UPDATE purchases SET state = 'unknown', send_count = 1, send_claimed_at = now(), settles_at = now() + interval '1 hour' WHERE cws_product_id = $1`,
      [cwsProductId(12)],
    );
    await passDeadline(orderId);
    await until(async () =>
      /purchase KF-.+ has no known outcome.*\. product \d+: 1 of 1/.test(await reasonOf(orderId)),
    );
    await until(async () =>
      (await openAlerts()).some(({ subject, message }) => subject === orderId && message.includes('1 of 1')),
    );
    const [{ reasons }] = await keyferry.sql(
      `SELECT count(*)::integer AS reasons FROM audit_log WHERE subject_id = $1 AND details ->> 'reason' LIKE '%no known outcome%'`,
      [orderId],
    );
    expect(reasons).toBeGreaterThan(0);
  });

  it('gives up after the deadline what could never be sent, and says why', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST });
    const orderId = await buy(9);
    await until(async () => (await purchases(orderId)).length === 1);
    await keyferry.sql(`UPDATE orders SET state = 'needs_attention', attention_reason = 'a test' WHERE id = $1`, [
      orderId,
    ]);
    await passDeadline(orderId);
    await until(async () => (await reasonOf(orderId)).includes('not sent before the deadline'));
    expect((await purchases(orderId)).map(({ state }) => state)).toEqual(['dead']);
    expect(await openAlerts()).toContainEqual(
      expect.objectContaining({ kind: 'order_needs_attention', subject: orderId }),
    );
  });
});

describe('the comparison with what CWS has sold', () => {
  it('is made again by itself, and when another database answers', async () => {
    const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
    expect(await matching.mayBuy()).toBe(true);
    const [{ installation_id: id }] = await keyferry.sql('SELECT installation_id FROM control_state');
    const forget = async (uuid: string): Promise<void> => {
      keyferry.cws.orders.place({
        orderId: `KF-${id.slice(0, 8)}-${uuid}`,
        products: [{ productId: cwsProductId(3), price: null, quantity: 1 }],
      });
    };
    await forget('3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02');
    expect(await matching.mayBuy()).toBe(true);
    await matching.compareAgain();
    expect(await matching.mayBuy()).toBe(false);
    await keyferry.sql(
      `UPDATE unmatched_supplier_orders SET resolved_at = now(), resolved_by = 'a test', note = 'a test'`,
    );
    expect(await matching.mayBuy()).toBe(true);

    await forget('3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a03');
    Object.assign(matching, { comparison: { server: 'the one before', isDone: Promise.resolve(true) } });
    expect(await matching.mayBuy()).toBe(false);
  });
});
