import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Customer } from '../sandbox/customer.js';
import { environment, OUR_CLIENT } from './support/keyferry.js';
import { type Program, startProgram } from './support/program.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

// Servers that are not this project's sandbox: written from the contracts alone, below a path prefix, in other of the shapes
// that were seen in the wild.

type Reply = { status?: number; body?: unknown };
type Handler = (request: { method: string; path: string; query: URLSearchParams; body: string }) => Reply;

async function serve(handler: Handler): Promise<{ url: string; server: Server }> {
  const read = async (request: IncomingMessage): Promise<string> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return text;
  };
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const isToken = url.pathname.endsWith('/oauth/token');
      const isKnown = isToken || request.headers.authorization === 'Bearer a-foreign-token';
      const reply: Reply = isToken
        ? { body: { access_token: 'a-foreign-token', token_type: 'Bearer', expires_in: 1158 } }
        : isKnown
          ? handler({ method: request.method ?? '', path: url.pathname, query: url.searchParams, body })
          : { status: 401, body: { error: 'invalid_token' } };
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const CWS_PRODUCT = randomUUID();
const G2A_PRODUCT = 10000068865001;
const OFFER = randomUUID();

describe('the program against servers that are not the sandbox', () => {
  const state = { price: '99.00', size: 0, active: false, orders: [] as Record<string, unknown>[] };
  let cws: { url: string; server: Server };
  let g2a: { url: string; server: Server };
  let database: TestDatabase;
  let db: Client;
  let program: Program;

  beforeAll(async () => {
    cws = await serve(({ method, path, body }) => {
      if (path === '/gate/v3/products') {
        const product = {
          productId: CWS_PRODUCT,
          identifier: 'FOREIGN',
          name: 'A game',
          platform: 'Steam',
          quantity: 4,
          regions: [],
          languages: [],
          prices: [{ value: 6.32, from: 1, to: null }],
          releaseDate: null,
          somethingNew: { nobody: 'knows' },
        };
        return { body: { continuationToken: null, items: [product] } };
      }
      if (path === '/gate/v3/orders' && method === 'POST') {
        const asked = JSON.parse(body) as { orderId: string; products: { productId: string; price: number }[] };
        const order = {
          orderId: randomUUID(),
          clientOrderId: asked.orderId,
          identifier: 'F-1',
          totalPrice: 6.32,
          createdOn: new Date().toISOString(),
          status: 'COMPLETED',
          products: asked.products.map(({ productId }) => ({
            productId,
            name: 'A game',
            unitPrice: 6.32,
            codes: [{ codeId: randomUUID(), codeType: 'CODE_TEXT', code: 'FOREIGN-KEY-1', filename: '', links: [] }],
            links: [],
          })),
          links: [],
        };
        state.orders.push(asked);
        return { body: order };
      }
      return { status: 404, body: { status: 404, code: 404, message: 'not here' } };
    });
    g2a = await serve(({ method, path, query, body }) => {
      if (path === '/v3/sales/offers' && method === 'GET') {
        const offer = {
          id: OFFER,
          type: 'dropshipping',
          status: state.active ? 'active' : 'inactive',
          price: { retail: { base: { value: state.price, currencyCode: 'EUR' } } },
          businessPrice: state.price,
          visibility: 'all',
          inventory: { size: state.size, sold: 3 },
          product: { id: String(G2A_PRODUCT), name: 'A game' },
        };
        return {
          body: { data: [offer], meta: { page: Number(query.get('page')), itemsPerPage: 100, totalResults: 1 } },
        };
      }
      if (path === `/v3/sales/offers/${OFFER}` && method === 'PATCH') {
        const { variant } = JSON.parse(body) as {
          variant: { price?: { retail: string }; inventory?: { size: number }; active?: boolean };
        };
        state.price = variant.price?.retail ?? state.price;
        state.size = variant.inventory?.size ?? state.size;
        state.active = variant.active ?? state.active;
        return { status: 204 };
      }
      return { status: 404, body: { code: 'BR02', message: 'not here' } };
    });
    database = await createTestDatabase();
    db = new Client({ connectionString: database.url, application_name: 'foreign-test' });
    await db.connect();
    await db.query('INSERT INTO product_mappings (g2a_product_id) VALUES ($1)', [G2A_PRODUCT]);
    await db.query('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES ($1, $2)', [
      G2A_PRODUCT,
      CWS_PRODUCT,
    ]);
    program = await startProgram({
      ...environment(`${cws.url}/gate`, g2a.url),
      DATABASE_URL: database.url,
      SYNC_INTERVAL_SECONDS: '1',
    });
  });

  afterAll(async () => {
    await program.end('SIGTERM');
    for (const { server } of [cws, g2a]) {
      server.closeAllConnections();
      server.close();
    }
    await db.end();
    await database.drop();
  });

  it('offers the product at its price and delivers a paid key', async () => {
    for (const deadline = Date.now() + 20_000; !state.active;) {
      if (Date.now() > deadline) throw new Error(`the offer was not activated: ${program.output()}`);
      await sleep(50);
    }
    expect(state).toMatchObject({ price: '8.03', size: 4, active: true });

    const customer = new Customer({ baseUrl: program.url, ...OUR_CLIENT });
    const reservation = await customer.reserve([{ productId: G2A_PRODUCT, quantity: 1 }]);
    if (!reservation.ok) throw new Error(JSON.stringify(reservation));
    const order = await customer.order(reservation.body.reservation_id);
    if (!order.ok) throw new Error(JSON.stringify(order));
    const keys = await customer.waitForKeys(order.body.order_id, 1, 20_000);
    expect(keys.map((key) => key.value)).toEqual(['FOREIGN-KEY-1']);
    expect(state.orders).toEqual([
      {
        allowPreOrder: false,
        orderId: expect.stringMatching(/^KF-/),
        products: [{ productId: CWS_PRODUCT, price: 6.32, quantity: 1 }],
      },
    ]);
  });
});
