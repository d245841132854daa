import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { type CwsSandbox, startCwsSandbox } from '../../sandbox/cws.js';
import { Customer } from '../../sandbox/customer.js';
import { type G2aSandbox, startG2aSandbox } from '../../sandbox/g2a.js';
import { SettlePurchaseService } from '../../src/orders/settle-purchase.service.js';
import { environment, type Keyferry, mapGames, OUR_CLIENT, startKeyferry } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not happen within 30 s');
    await sleep(50);
  }
}

/** Reserves as soon as there is something to reserve, and pays; the order's id. */
async function buy(customer: Customer, game: number): Promise<string> {
  let reservationId: string | undefined;
  await until(async () => {
    const answer = await customer.reserve([{ productId: g2aProductId(game), quantity: 1 }]);
    if (answer.ok) reservationId = answer.body.reservation_id;
    return answer.ok;
  });
  const order = await customer.order(reservationId!);
  if (!order.ok) throw new Error(JSON.stringify(order));
  return order.body.order_id;
}

describe('an order whose job is lost', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 3 } });
    await mapGames(keyferry, [1, 2]);
    await keyferry.sync();
    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds' });
  });
  afterAll(() => keyferry.stop());

  interface PurchaseRow {
    readonly id: string;
    readonly state: string;
    readonly client_order_id: string;
  }

  const purchase = async (orderId: string): Promise<PurchaseRow | undefined> =>
    (
      await keyferry.sql(
        `SELECT purchase.* FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
        [orderId],
      )
    )[0];

  async function buyPending(game: number): Promise<{ orderId: string; reference: string; purchaseId: string }> {
    const orderId = await buy(keyferry.customer, game);
    await until(async () => (await purchase(orderId))?.state === 'fulfilling');
    const { id, client_order_id } = (await purchase(orderId))!;
    return { orderId, reference: client_order_id, purchaseId: id };
  }

  it('moves again when its worker was killed at the last retry', async () => {
    const { orderId, reference, purchaseId } = await buyPending(1);
    // What a worker that was killed 15 s ago leaves behind, of a job that had failed 20 times.
    const [, killed] = await keyferry.sql(
      `UPDATE pgboss.job SET state = 'active', retry_count = retry_limit, started_on = now() - interval '15 seconds'
       WHERE name = 'poll-purchase' AND singleton_key = $1 AND state = 'created'`,
      [purchaseId],
    );
    expect(killed).toBe(1);
    await until(
      async () =>
        (await keyferry.sql(`SELECT FROM pgboss.job WHERE singleton_key = $1 AND state = 'failed'`, [purchaseId]))
          .length === 1,
    );
    keyferry.cws.orders.finish(reference);
    // The rest of the time until the sweep looks at it.
    await keyferry.sql(`UPDATE orders SET updated_at = now() - interval '24 seconds' WHERE id = $1`, [orderId]);
    expect(await keyferry.customer.waitForKeys(orderId, 1, 30_000)).toHaveLength(1);
  });

  it('brings the key that was paid for, also when it waits for a person', async () => {
    const { orderId, reference, purchaseId } = await buyPending(2);
    await keyferry.sql('UPDATE orders SET deadline_at = now() WHERE id = $1', [orderId]);
    await until(
      async () =>
        (await keyferry.sql('SELECT state FROM orders WHERE id = $1', [orderId]))[0].state === 'needs_attention',
    );
    // The next look would be 5 minutes later.
    const [, lost] = await keyferry.sql(
      `DELETE FROM pgboss.job WHERE name = 'poll-purchase' AND singleton_key = $1 AND state = 'created'`,
      [purchaseId],
    );
    expect(lost).toBe(1);
    keyferry.cws.orders.finish(reference);
    await keyferry.sql(`UPDATE purchases SET updated_at = now() - interval '6 minutes' WHERE id = $1`, [purchaseId]);
    expect(await keyferry.customer.waitForKeys(orderId, 1, 30_000)).toHaveLength(1);
  });
});

describe('a purchase whose worker was frozen before it could send it', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 1 } });
    await mapGames(keyferry, [1]);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('is sent after all, when another has taken it for unknown meanwhile and then the worker tells', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: 'POST /v3/orders', times: 1 });
    const orderId = await buy(keyferry.customer, 1);
    let purchases: { id: string; send_count: number }[] = [];
    await until(async () => {
      purchases = await keyferry.sql(`SELECT id, send_count FROM purchases WHERE state = 'unknown'`);
      return purchases.length === 1;
    });
    const [{ id, send_count: sendCount }] = purchases as [{ id: string; send_count: number }];
    await keyferry.app.get(SettlePurchaseService, { strict: false }).markUnsent({ id, sendCount }, 'thawed', 5);
    expect(await keyferry.customer.waitForKeys(orderId, 1, 30_000)).toHaveLength(1);
    expect(keyferry.cws.orders.ledger().orders).toHaveLength(1);
  });
});

describe('the program as a process', () => {
  let cws: CwsSandbox;
  let g2a: G2aSandbox;
  let database: TestDatabase;
  let db: Client;
  let server: Client;
  let program: Program;
  let customer: Customer;
  let settings: Record<string, string>;

  beforeAll(async () => {
    cws = await startCwsSandbox({ products: 3 });
    g2a = await startG2aSandbox({ products: 3, applyDelayMs: 0 });
    database = await createTestDatabase();
    server = new Client(Object.assign(new URL(database.url), { pathname: '/postgres' }).href);
    await server.connect();
    await connect();
    await mapGames({ sql: (text: string, values?: unknown[]) => db.query(text, values) }, [1, 2]);
    settings = { ...environment(cws.url, g2a.url), DATABASE_URL: database.url };
    await start();
  });
  afterAll(async () => {
    await program.end('SIGKILL');
    await Promise.all([cws.close(), g2a.close(), db.end(), server.end()]);
    await database.drop();
  });

  async function connect(): Promise<void> {
    db = new Client({ connectionString: database.url, application_name: 'kill-recovery-test' });
    db.on('error', () => undefined);
    await db.connect();
  }

  async function start(): Promise<void> {
    program = await startProgram(settings);
    customer = new Customer({ baseUrl: program.url, ...OUR_CLIENT });
  }

  const readiness = async (): Promise<number> => (await fetch(`${program.url}/readyz`)).status;

  const purchaseState = async (orderId: string): Promise<string | undefined> =>
    (
      await db.query(
        `SELECT purchase.state FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
        [orderId],
      )
    ).rows[0]?.state;

  it('goes on by itself after its database was away, and says meanwhile that it is not ready', async () => {
    cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(1) });
    const orderId = await buy(customer, 1);
    await until(async () => (await purchaseState(orderId)) === 'fulfilling');
    expect(await readiness()).toBe(200);

    const name = new URL(database.url).pathname.slice(1);
    await server.query(`ALTER DATABASE ${escapeIdentifier(name)} ALLOW_CONNECTIONS false`);
    await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    try {
      await until(async () => (await readiness()) === 503);
      // While its workers look for jobs and the poll comes due, there is nobody to ask.
      await sleep(3_000);
    } finally {
      await server.query(`ALTER DATABASE ${escapeIdentifier(name)} ALLOW_CONNECTIONS true`);
    }
    await connect();
    await until(async () => (await readiness()) === 200);
    cws.orders.finish(cws.orders.ledger().orders[0]!.orderId);
    expect(await customer.waitForKeys(orderId, 1, 30_000)).toHaveLength(1);
    // Both workers live: a new order is chosen for, bought and delivered.
    cws.traffic.behaviors.clear({});
    expect(await customer.waitForKeys(await buy(customer, 1), 1, 30_000)).toHaveLength(1);
    expect(program.child.exitCode).toBeNull();
  });

  it('hands its jobs back on SIGTERM when CWS does not answer, and ends in time; the next start brings the key', async () => {
    cws.traffic.behaviors.set({ name: 'answersAfterCommitNever', subject: cwsProductId(2), hangs: true, times: 1 });
    const orderId = await buy(customer, 2);
    const orders = () =>
      cws.orders.ledger().orders.filter((order) => order.lines.some((line) => line.productId === cwsProductId(2)));
    await until(async () => Promise.resolve(orders().length === 1));
    // 1 would say that it was not done within its 10 s.
    expect(await program.end('SIGTERM')).toBe(0);
    expect(program.output()).toContain('handed back');
    expect((await db.query(`SELECT FROM pgboss.job WHERE state = 'active'`)).rows).toEqual([]);

    // The 20 s in which its worker might still have told what became of the request.
    await db.query(
      `UPDATE purchases SET send_claimed_at = send_claimed_at - interval '20 seconds' WHERE state = 'intended'`,
    );
    await start();
    expect(await customer.waitForKeys(orderId, 1, 40_000)).toHaveLength(1);
    expect(orders()).toHaveLength(1);
  });
});
