import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { type CwsSandbox, startCwsSandbox } from '../../sandbox/cws.js';
import { Customer } from '../../sandbox/customer.js';
import { type G2aSandbox, startG2aSandbox } from '../../sandbox/g2a.js';
import { environment, mapGames, OUR_CLIENT } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('a process that is killed with -9 while an order is pending', () => {
  let cws: CwsSandbox;
  let g2a: G2aSandbox;
  let database: TestDatabase;
  let db: Client;
  let settings: Record<string, string>;
  let program: Program | undefined;

  beforeAll(async () => {
    cws = await startCwsSandbox({ products: 5 });
    g2a = await startG2aSandbox({ products: 5, applyDelayMs: 0 });
    database = await createTestDatabase();
    db = new Client({ connectionString: database.url, application_name: 'crash-test' });
    await db.connect();
    await mapGames({ sql: (text: string, values?: unknown[]) => db.query(text, values) }, [1, 2]);
    settings = { ...environment(cws.url, g2a.url), DATABASE_URL: database.url, SYNC_INTERVAL_SECONDS: '1' };
  });
  afterEach(async () => {
    await program?.end('SIGKILL');
    program = undefined;
    cws.traffic.behaviors.clear({});
  });
  afterAll(async () => {
    await Promise.all([cws.close(), g2a.close()]);
    await db.end();
    await database.drop();
  });

  const customer = (): Customer => new Customer({ baseUrl: program!.url, ...OUR_CLIENT });

  async function buy(game: number): Promise<string> {
    // Until the first round has brought the product in, there is nothing to reserve.
    for (const deadline = Date.now() + 20_000; ;) {
      const reservation = await customer().reserve([{ productId: g2aProductId(game), quantity: 1 }]);
      if (reservation.ok) {
        const order = await customer().order(reservation.body.reservation_id);
        if (!order.ok) throw new Error(JSON.stringify(order));
        return order.body.order_id;
      }
      if (Date.now() > deadline) throw new Error(JSON.stringify(reservation));
      await sleep(100);
    }
  }

  async function untilPurchase(orderId: string, state: string): Promise<void> {
    for (const deadline = Date.now() + 20_000; ;) {
      const { rows } = await db.query(
        `SELECT purchase.state FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
        [orderId],
      );
      if (rows[0]?.state === state) return;
      if (Date.now() > deadline) throw new Error(`no purchase is ${state}: ${JSON.stringify(rows)}`);
      await sleep(25);
    }
  }

  const ordersOf = (game: number): number =>
    cws.orders.ledger().orders.filter((order) => order.lines.some((line) => line.productId === cwsProductId(game)))
      .length;

  it('brings the key after the next start, bought once, also with SERVICE_ENABLED=false', async () => {
    cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(1) });
    program = await startProgram(settings);
    const orderId = await buy(1);
    await untilPurchase(orderId, 'fulfilling');
    await program.end('SIGKILL');

    program = await startProgram({ ...settings, SERVICE_ENABLED: 'false' });
    const refused = await customer().reserve([{ productId: g2aProductId(1), quantity: 1 }]);
    expect(refused).toMatchObject({ status: 503, error: { code: 'service_paused' } });
    cws.orders.finish(cws.orders.ledger().orders[0]!.orderId);
    const keys = await customer().waitForKeys(orderId, 1, 40_000);
    expect(keys).toHaveLength(1);
    expect(ordersOf(1)).toBe(1);
  });

  it('brings the key when it died with the purchase on its way, bought once', async () => {
    cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 1500, route: 'POST /v3/orders' });
    program = await startProgram(settings);
    const orderId = await buy(2);
    await untilPurchase(orderId, 'intended');
    while (
      !cws.traffic
        .requests()
        .some((request) => JSON.stringify(request).includes(cwsProductId(2)) && request.method === 'POST')
    ) {
      await sleep(20);
    }
    await program.end('SIGKILL');

    program = await startProgram(settings);
    const keys = await customer().waitForKeys(orderId, 1, 50_000);
    expect(keys).toHaveLength(1);
    expect(ordersOf(2)).toBe(1);
  });

  it('ends with exit code 0 within its grace period on SIGTERM', async () => {
    program = await startProgram(settings);
    expect(await program.end('SIGTERM')).toBe(0);
    expect(program.output()).toContain('SIGTERM: stopping');
    program = undefined;
  });
});
