import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { cwsProductId, g2aOfferId } from '../../sandbox/catalog.js';
import { type CwsSandbox, startCwsSandbox } from '../../sandbox/cws.js';
import { type G2aSandbox, startG2aSandbox } from '../../sandbox/g2a.js';
import { environment, mapGames } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const GAMES = [1, 2, 3, 4, 5, 6];

describe('a process that is killed with -9 in the middle of a pass over the feed', () => {
  let cws: CwsSandbox;
  let g2a: G2aSandbox;
  let database: TestDatabase;
  let db: Client;
  let program: Program | undefined;

  beforeAll(async () => {
    cws = await startCwsSandbox({ products: 10, pageSize: 1, limits: { products: null } });
    g2a = await startG2aSandbox({ products: 10, limits: { api: null }, applyDelayMs: 0 });
    database = await createTestDatabase();
    db = new Client({ connectionString: database.url, application_name: 'feed-crash-test' });
    await db.connect();
    await mapGames({ sql: (text: string, values?: unknown[]) => db.query(text, values) }, GAMES);
  });
  afterAll(async () => {
    await program?.end('SIGKILL');
    await Promise.all([cws.close(), g2a.close()]);
    await db.end();
    await database.drop();
  });

  async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !(await isSo());) {
      if (Date.now() > deadline) throw new Error(`never: ${what}`);
      await sleep(20);
    }
  }

  const known = async (): Promise<number[]> => {
    const { rows } = await db.query('SELECT quantity FROM supplier_products ORDER BY cws_product_id');
    return rows.map((row: { quantity: number }) => row.quantity);
  };
  const position = async (): Promise<Date | undefined> =>
    (await db.query<{ position: Date }>('SELECT position FROM sync_cursors')).rows[0]?.position;
  const isShown = (size: number): boolean =>
    GAMES.every((game) => g2a.marketplace.offer(g2aOfferId(game)).size === size);

  it('reads all of it again after the next start: no change is skipped', async () => {
    for (const game of GAMES) cws.supplier.setProduct(cwsProductId(game), { quantity: 100 });
    const settings = {
      ...environment(cws.url, g2a.url),
      DATABASE_URL: database.url,
      SYNC_INTERVAL_SECONDS: '1',
      CWS_PRODUCTS_RATE: '100000/60s',
    };
    program = await startProgram(settings);
    await until('every product is offered', () => isShown(100));

    // The sweep has just seen all of them: for the next seconds only the feed can bring this.
    await until('a pass of the feed has ended', async () => (await position()) !== undefined);
    cws.traffic.behaviors.set({ name: 'answersSlowly', milliseconds: 400, route: 'GET /v3/products' });
    for (const game of GAMES) cws.supplier.setProduct(cwsProductId(game), { quantity: 5 });
    await until('some pages are stored', async () => (await known()).filter((quantity) => quantity === 5).length >= 2);
    const before = await position();
    await program.end('SIGKILL');
    const stored = await known();
    expect(stored).toContain(100);
    expect(stored).toContain(5);
    expect(await position()).toEqual(before);

    cws.traffic.behaviors.clear({});
    program = await startProgram(settings);
    await until('the feed has brought the rest', async () => (await known()).every((quantity) => quantity === 5));
    expect((await position())!.getTime()).toBeGreaterThanOrEqual(before!.getTime());
    await until('every offer shows it', () => isShown(5));
  });
});
