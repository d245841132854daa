import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { AppConfig } from '../src/config/app-config.js';
import { lookupAccount } from '../src/orders/lookup-account.js';
import { MatchSupplierOrdersService } from '../src/orders/match-supplier-orders.service.js';
import { TryLookupsService } from '../src/orders/try-lookups.service.js';
import { type CommandAnswer, runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';
import { isRefused, type PurchaseRow, purchaseSteps } from './support/purchase-steps.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7, 8];
const POST = 'POST /v3/orders';
const HISTORY = 'GET /v3/orders';
const NOWHERE = 'http://127.0.0.1:9';

let keyferry: Keyferry;
const { buy, sold, sent, purchases, stateOf, until, openAlerts } = purchaseSteps(() => keyferry);

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

const purchase = async (orderId: string): Promise<PurchaseRow> => (await purchases(orderId))[0]!;

const isNow = async (orderId: string, state: string): Promise<boolean> =>
  (await purchases(orderId))[0]?.state === state;

const config = (): AppConfig => keyferry.app.get(AppConfig, { strict: false });

/** @param cwsUrl of the account that the command is about. */
const command = (cwsUrl: string, ...args: string[]): Promise<CommandAnswer> =>
  runCommand({ ...environment(cwsUrl, NOWHERE), DATABASE_URL: keyferry.database.url }, args);

/** As after a start, or when another database server answers. */
function matchAnew(): MatchSupplierOrdersService {
  const matching = keyferry.app.get(MatchSupplierOrdersService, { strict: false });
  Object.assign(matching, { comparison: null });
  return matching;
}

describe('what an answer to a purchase proves', () => {
  it('is nothing when it timed out; but as its connection was reset, it is settled sooner', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1, hangs: true });
    const orderId = await buy(1);
    await until(() => isNow(orderId, 'unknown'));
    // Counted from the time-out.
    const { settles_in: settlesIn } = await purchase(orderId);
    expect(settlesIn).toBeGreaterThan(300);
    expect(settlesIn).toBeLessThan(400);
    expect(sent(1)).toHaveLength(1);
  });

  it('is nothing when something in between says 404: the purchase is looked up, and not made elsewhere', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'gatewayAnswers404', route: POST, times: 1 });
    const orderId = await buy(2);
    await until(() => isNow(orderId, 'unknown'));
    expect((await purchase(orderId)).settles_in).toBeGreaterThan(599);
    expect(await purchases(orderId)).toHaveLength(1);
    expect(sent(2)).toHaveLength(1);
  });

  it('is that nothing was bought when CWS says that the product is gone: another supplier is next', async () => {
    restock(cwsAlternativeProductId(3), 6.5);
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
      g2aProductId(3),
      cwsAlternativeProductId(3),
    ]);
    await keyferry.sync();
    keyferry.cws.supplier.setProduct(cwsProductId(3), { gone: true });
    const orderId = await buy(3);
    await keyferry.customer.waitForKeys(orderId, 1, 20_000);
    expect(
      await keyferry.sql(
        `SELECT cws_product_id, purchase.state, last_error FROM purchases purchase
         JOIN order_items item ON item.id = order_item_id WHERE order_id = $1 ORDER BY purchase.created_at`,
        [orderId],
      ),
    ).toEqual([
      { cws_product_id: cwsProductId(3), state: 'dead', last_error: expect.stringContaining('HTTP 404, code 20001') },
      { cws_product_id: cwsAlternativeProductId(3), state: 'completed', last_error: null },
    ]);
  });
});

describe("CWS's order history", () => {
  it('may be missing where an account never had one, by the word of CWS alone', async () => {
    await keyferry.sql('DELETE FROM purchase_lookups');
    keyferry.cws.traffic.behaviors.set({ name: 'gatewayAnswers404', route: HISTORY });
    expect(await matchAnew().mayBuy()).toBe(false);
    keyferry.cws.traffic.behaviors.clear({});
    keyferry.cws.traffic.behaviors.set({ name: 'hasNoHistory' });
    expect(await matchAnew().mayBuy()).toBe(true);
  });

  it('may not be missing once it was there: nothing is bought until it answers again', async () => {
    await keyferry.sql('DELETE FROM purchase_lookups');
    expect(await matchAnew().mayBuy()).toBe(true);
    keyferry.cws.traffic.behaviors.set({ name: 'hasNoHistory' });
    expect(await matchAnew().mayBuy()).toBe(false);
    keyferry.cws.traffic.behaviors.clear({});
    expect(await matchAnew().mayBuy()).toBe(true);
  });

  it('is compared also when an order that somebody else made cannot be read', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'malformedHistoryEntry' });
    expect(await matchAnew().mayBuy()).toBe(true);
    await keyferry.customer.waitForKeys(await buy(4), 1, 20_000);
  });
});

describe('a purchase that the database says was never sent', () => {
  it('is not bought again when CWS has it: the database is older, and the key is fetched', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers429', route: POST, times: 1, seconds: 10 });
    const orderId = await buy(5);
    await until(async () => isRefused((await purchases(orderId))[0]), { isHurried: false });
    // It was sent once more, and the database that is there now does not have the commit of that.
    const { id, client_order_id: reference } = await purchase(orderId);
    const wanted = { productId: cwsProductId(5), price: null, quantity: 1 };
    const { orderId: cwsOrderId } = keyferry.cws.orders.place({ orderId: reference, products: [wanted] });

    expect(await matchAnew().mayBuy()).toBe(false);
    expect(await openAlerts()).toContainEqual(
      expect.objectContaining({
        kind: 'supplier_orders_unmatched',
        message: expect.stringContaining('were never sent'),
      }),
    );
    await keyferry.sql(`UPDATE purchases SET send_claimed_at = now() - interval '1 minute' WHERE id = $1`, [id]);
    await until(async () => (await stateOf(orderId)) === 'completed');
    expect(await purchases(orderId)).toMatchObject([{ state: 'completed', send_count: 1, cws_order_id: cwsOrderId }]);
    expect(sold(5)).toHaveLength(1);
    expect(sent(5)).toHaveLength(1);

    // Other purchases may be missing as well: a person looks into it.
    expect(await matchAnew().mayBuy()).toBe(false);
    const resolve = ['purchases', 'resolve', cwsOrderId, '--note', 'a test'];
    expect(await command(keyferry.cws.url, ...resolve)).toMatchObject({ code: 0 });
    expect(await matchAnew().mayBuy()).toBe(true);
    expect(sold(5)).toHaveLength(1);
  });
});

describe('look-ups that have proven themselves', () => {
  it('have done so on one account: on another one nothing is sent again, and nobody can say otherwise', async () => {
    await keyferry.sql('DELETE FROM purchase_lookups');
    await keyferry.customer.waitForKeys(await buy(6), 1, 20_000);
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    const trust = ['purchases', 'trust', '--note', 'a test', '--dry-run'];
    expect(await command(keyferry.cws.url, ...trust)).toMatchObject({ code: 0 });
    expect(await command(NOWHERE, ...trust)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('by_id and by_history must first find an order of this account'),
    });

    const rows = await keyferry.sql('SELECT account, way FROM purchase_lookups WHERE found_at IS NOT NULL ORDER BY 2');
    const account = lookupAccount(config());
    expect(rows).toEqual([
      { account, way: 'by_history' },
      { account, way: 'by_id' },
    ]);
    // As if they had been learned on the test system.
    const { cwsClientId } = config();
    const other = lookupAccount({ cwsApiBaseUrl: 'https://sandbox.codeswholesale.com', cwsClientId });
    await keyferry.sql('UPDATE purchase_lookups SET account = $1', [other]);
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: POST, times: 1 });
    const orderId = await buy(7);
    await until(() => isNow(orderId, 'unknown'));
    await keyferry.sql('UPDATE purchases SET settles_at = now() WHERE id = $1', [(await purchase(orderId)).id]);
    await until(async () => (await stateOf(orderId)) === 'needs_attention');
    expect(sent(7)).toHaveLength(1);
  });
});
