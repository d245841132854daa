import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { type CwsSandbox, startCwsSandbox } from '../../sandbox/cws.js';
import { Customer } from '../../sandbox/customer.js';
import { type G2aSandbox, startG2aSandbox } from '../../sandbox/g2a.js';
import { environment, mapGames, OUR_CLIENT } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const POST = 'POST /v3/orders';
const DETAILS = 'GET /v3/orders/:id';
const FROZEN_SECONDS = 90;
/** What an order may stand still for when its worker dies. */
const MOVES_WITHIN_SECONDS = 30;

let cws: CwsSandbox;
let g2a: G2aSandbox;
let database: TestDatabase;
let db: Client;
let settings: Record<string, string>;
/** The one that is frozen or killed, and the one that takes over. */
let lost: Program;
let other: Program;

beforeAll(async () => {
  cws = await startCwsSandbox({ products: 4 });
  g2a = await startG2aSandbox({ products: 4, applyDelayMs: 0 });
  database = await createTestDatabase();
  db = new Client({ connectionString: database.url, application_name: 'lost-workers-test' });
  await db.connect();
  await mapGames({ sql: (text: string, values?: unknown[]) => db.query(text, values) }, [1, 2, 3, 4]);
  settings = { ...environment(cws.url, g2a.url), DATABASE_URL: database.url };
});
beforeEach(async () => {
  lost = await startProgram(settings);
  other = await startProgram(settings);
});
afterEach(async () => {
  for (const program of [lost, other]) if (program.child.signalCode === null) await program.end('SIGKILL');
});
afterAll(async () => {
  await Promise.all([cws.close(), g2a.close(), db.end()]);
  await database.drop();
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 45_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not happen within 45 s');
    await sleep(20);
  }
}

/** Reserves and pays at one of the programs, as soon as there is something to reserve; the order's id. */
async function buy(program: Program, game: number): Promise<string> {
  const customer = new Customer({ baseUrl: program.url, ...OUR_CLIENT });
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

const purchaseOf = async (
  orderId: string,
): Promise<{ id: string; state: string; client_order_id: string } | undefined> =>
  (
    await db.query(
      `SELECT purchase.* FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE order_id = $1`,
      [orderId],
    )
  ).rows[0];

const requests = (route: string): number => cws.traffic.requests().filter((request) => request.route === route).length;

const ordersOf = (game: number): number =>
  cws.orders.ledger().orders.filter(({ lines }) => lines.some(({ productId }) => productId === cwsProductId(game)))
    .length;

/**
 * Has `lost` at work on two jobs, each in the middle of a call to CWS: on the purchase of one game, and on the question what has become of
 * another's. The other program is frozen meanwhile, so that it has neither of them.
 */
async function occupy(
  [bought, asked]: readonly [number, number],
  hold: (route: string, game: number) => void,
): Promise<{ bought: string; asked: string }> {
  cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(asked), times: 1 });
  other.child.kill('SIGSTOP');
  const askedOrder = await buy(lost, asked);
  await until(async () => (await purchaseOf(askedOrder))?.state === 'fulfilling');
  const before = [requests(DETAILS), requests(POST)] as const;
  hold(DETAILS, asked);
  await until(async () => Promise.resolve(requests(DETAILS) > before[0]));
  hold(POST, bought);
  const boughtOrder = await buy(lost, bought);
  await until(async () => Promise.resolve(requests(POST) > before[1]));
  return { bought: boughtOrder, asked: askedOrder };
}

describe('a program that is frozen in the middle of its jobs', () => {
  /** All that is known of these orders. */
  async function everything(orderIds: readonly string[]): Promise<unknown> {
    const items = `SELECT id FROM order_items WHERE order_id = ANY ($1::uuid[])`;
    const purchases = `SELECT id FROM purchases WHERE order_item_id IN (${items})`;
    const read = async (statement: string): Promise<unknown[]> => (await db.query(statement, [orderIds])).rows;
    return {
      orders: await read(
        `SELECT id, state, attention_reason, deadline_at FROM orders WHERE id = ANY ($1::uuid[]) ORDER BY id`,
      ),
      purchases: await read(`SELECT * FROM purchases WHERE id IN (${purchases}) ORDER BY id`),
      keys: await read(`SELECT * FROM keys WHERE order_item_id IN (${items}) ORDER BY id`),
      holds: await read(`SELECT * FROM stock_holds WHERE reservation_item_id IN (${items}) ORDER BY id`),
      audit: await read(
        `SELECT * FROM audit_log WHERE subject_id IN (SELECT unnest($1::uuid[])::text) OR subject_id IN (SELECT id::text FROM (${purchases}) bought) ORDER BY id`,
      ),
      alerts: await read(
        `SELECT * FROM alerts WHERE subject IN (SELECT unnest($1::uuid[])::text) OR subject IN (SELECT id::text FROM (${purchases}) bought)`,
      ),
    };
  }

  it(
    'changes nothing when it wakes up after 90 s: another has brought the keys, each bought once',
    async () => {
      const { bought, asked } = await occupy([1, 2], (route) => {
        // CWS does both, and its answers wait for the sleeper.
        cws.traffic.behaviors.set({ name: 'answersSlowly', route, milliseconds: 4_000, times: 1 });
      });
      lost.child.kill('SIGSTOP');
      const frozenAtMs = Date.now();
      other.child.kill('SIGCONT');
      cws.orders.finish((await purchaseOf(asked))!.client_order_id);
      const customer = new Customer({ baseUrl: other.url, ...OUR_CLIENT });
      const keys = [
        ...(await customer.waitForKeys(asked, 1, 60_000)),
        ...(await customer.waitForKeys(bought, 1, 60_000)),
      ];
      await sleep(frozenAtMs + FROZEN_SECONDS * 1000 - Date.now());
      const before = await everything([bought, asked]);
      const output = lost.output();

      lost.child.kill('SIGCONT');
      // Both jobs are over for it: it does not settle what is another's.
      await until(async () =>
        Promise.resolve(
          (
            lost
              .output()
              .slice(output.length)
              .match(/passed its time limit/g) ?? []
          ).length >= 2,
        ),
      );
      const sleeper = new Customer({ baseUrl: lost.url, ...OUR_CLIENT });
      expect([
        ...(await sleeper.waitForKeys(asked, 1, 10_000)),
        ...(await sleeper.waitForKeys(bought, 1, 10_000)),
      ]).toEqual(keys);
      // Whatever it was about to write, it has by now.
      await sleep(5_000);
      expect(await everything([bought, asked])).toEqual(before);
      expect([ordersOf(1), ordersOf(2)]).toEqual([1, 1]);
      for (const orderId of [bought, asked]) {
        const { id, state } = (await purchaseOf(orderId))!;
        expect(state).toBe('completed');
        const { rows } = await db.query(
          `SELECT count(*)::integer AS times FROM audit_log WHERE subject_id = $1 AND action = 'purchase.keys_stored'`,
          [id],
        );
        expect(rows).toEqual([{ times: 1 }]);
      }
    },
    (FROZEN_SECONDS + 180) * 1000,
  );
});

describe('a program that is killed with -9 in the middle of its jobs', () => {
  /** Seconds of the database's clock, as text with all its digits. */
  const databaseNow = async (): Promise<string> =>
    (await db.query<{ now: string }>('SELECT clock_timestamp()::text AS now')).rows[0]!.now;

  it('has its orders moved on by another within 30 s, without anything being dated back', async () => {
    const { bought, asked } = await occupy([3, 4], (route, game) => {
      if (route === POST) {
        cws.traffic.behaviors.set({
          name: 'answersAfterCommitNever',
          subject: cwsProductId(game),
          hangs: true,
          times: 1,
        });
      } else cws.traffic.behaviors.set({ name: 'losesRequest', route, hangs: true, times: 1 });
    });
    await until(async () => Promise.resolve(ordersOf(3) === 1));
    const jobs = await db.query(`SELECT name FROM pgboss.job WHERE state = 'active' ORDER BY name`);
    expect(jobs.rows).toEqual([{ name: 'poll-purchase' }, { name: 'purchase-order' }]);
    const killedAt = await databaseNow();
    await lost.end('SIGKILL');
    other.child.kill('SIGCONT');
    cws.orders.finish((await purchaseOf(asked))!.client_order_id);

    for (const orderId of [asked, bought]) {
      const { id: purchaseId } = (await purchaseOf(orderId))!;
      await until(async () => (await purchaseOf(orderId))?.state === 'completed');
      const { rows } = await db.query<{ started: number; stored: number }>(
        `SELECT
             (SELECT extract(epoch FROM min(started_on) - $3::timestamptz) FROM pgboss.job
              WHERE singleton_key IN ($1, $2) AND started_on > $3::timestamptz)::float8 AS started,
             (SELECT extract(epoch FROM min(at) - $3::timestamptz) FROM audit_log
              WHERE subject_id = $2 AND action = 'purchase.keys_stored')::float8 AS stored`,
        [orderId, purchaseId, killedAt],
      );
      const { started, stored } = rows[0]!;
      expect(started).toBeGreaterThan(0);
      expect(started).toBeLessThanOrEqual(MOVES_WITHIN_SECONDS);
      // The intent of the purchase was of the same second; its worker might have told for 20 s what became of it.
      expect(stored).toBeLessThanOrEqual(MOVES_WITHIN_SECONDS);
    }
    expect([ordersOf(3), ordersOf(4)]).toEqual([1, 1]);
  }, 150_000);
});
