import { afterEach, describe, expect, it } from '@jest/globals';
import { cwsAlternativeProductId, cwsProductId } from './catalog.js';
import { type CwsSandbox, type CwsSandboxOptions, startCwsSandbox } from './cws.js';
import { type WireBand } from './wire-money.js';

const CREDENTIALS = 'grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret';

/** The fields the tests read, of whichever answer it is. */
interface WireBody {
  orderId: string;
  status: string;
  totalPrice: number;
  quantity: number;
  prices: WireBand[];
  continuationToken: string | null;
  items: { productId: string }[];
  products: [{ codes: [{ codeId: string; code: string }] }];
  links: [{ href: string }];
  code: string;
}

let sandbox: CwsSandbox;

async function start(options: CwsSandboxOptions = {}): Promise<void> {
  sandbox = await startCwsSandbox({ products: 10, ...options });
}

async function fetchToken() {
  const response = await fetch(`${sandbox.url}/oauth/token?${CREDENTIALS}`, { method: 'POST' });
  return (await response.json()) as { access_token: string; expires_in: number };
}

async function call(path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}) {
  const { access_token: token } = await fetchToken();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${sandbox.url}${path}`, { ...init, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as WireBody };
}

function order(orderId: string, price: number, quantity = 1, productId = cwsProductId(1)) {
  const body = { allowPreOrder: false, orderId, products: [{ productId, price, quantity }] };
  return call('/v3/orders', { method: 'POST', body: JSON.stringify(body) });
}

function control(method: string, path: string, body?: unknown) {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return fetch(`${sandbox.url}/_sandbox/${path}`, { method, ...init });
}

/** Price of a single piece. */
async function priceOf(productId: string): Promise<number> {
  const { body } = await call(`/v3/products/${productId}`);
  return body.prices.find((band) => band.from === 1)!.value;
}

afterEach(() => sandbox.close());

describe('the token of the simulated CodesWholesale', () => {
  it('stays the same while it is alive, with its remaining life', async () => {
    await start({ tokenLifeSeconds: 2 });
    const first = await fetchToken();
    const form = { method: 'POST', body: new URLSearchParams(CREDENTIALS) };
    const second = (await (await fetch(`${sandbox.url}/oauth/token`, form)).json()) as typeof first;
    expect(second.access_token).toBe(first.access_token);
    expect(second.expires_in).toBeLessThanOrEqual(first.expires_in);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await fetchToken()).access_token).not.toBe(first.access_token);
  });

  it('is refused for a wrong secret and limited by a sliding window', async () => {
    await start({ limits: { token: { requests: 2, perSeconds: 60 } } });
    const wrong = await fetch(`${sandbox.url}/oauth/token?${CREDENTIALS}X`, { method: 'POST' });
    expect(wrong.status).toBe(401);
    await fetchToken();
    const limited = await fetch(`${sandbox.url}/oauth/token?${CREDENTIALS}`, { method: 'POST' });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(sandbox.traffic.counters()['POST /oauth/token']).toEqual({ requests: 3, limited: 1 });
    expect(JSON.stringify(sandbox.traffic.requests())).not.toContain('sandbox-secret');
  });

  it('is asked for on every other route, and so is the signature when one is configured', async () => {
    await start({ clientSignature: 'signed' });
    expect(
      (await fetch(`${sandbox.url}/v3/accounts/current`, { headers: { 'x-client-signature': 'signed' } })).status,
    ).toBe(401);
    expect((await call('/v3/accounts/current')).status).toBe(403);
    const account = await call('/v3/accounts/current', { headers: { 'x-client-signature': 'signed' } });
    expect(account.body).toMatchObject({ currentBalance: 100_000, totalToUse: 100_000 });
  });

  it('can be dropped before its time', async () => {
    await start();
    const before = await fetchToken();
    sandbox.traffic.behaviors.set({ name: 'dropsToken', times: 1 });
    expect((await call('/v3/accounts/current')).status).toBe(401);
    expect((await call('/v3/accounts/current')).status).toBe(200);
    expect((await fetchToken()).access_token).not.toBe(before.access_token);
  });
});

describe('the product list of the simulated CodesWholesale', () => {
  it('comes in pages that hold every product once, also when asked for by id', async () => {
    await start({ pageSize: 4, alternatives: 1 });
    const wanted = [cwsProductId(2), cwsProductId(4), cwsProductId(6), cwsProductId(8), cwsAlternativeProductId(1)];
    for (const [query, count] of [
      ['', 11],
      [`?productIds=${wanted.join(',')}`, 5],
    ] as const) {
      const ids: string[] = [];
      let page = (await call(`/v3/products${query}`)).body;
      ids.push(...page.items.map((item) => item.productId));
      while (page.continuationToken !== null) {
        page = (await call(`/v3/products?continuationToken=${page.continuationToken}`)).body;
        ids.push(...page.items.map((item) => item.productId));
      }
      expect(new Set(ids).size).toBe(count);
      expect(ids).toHaveLength(count);
    }
  });

  it('reports through updatedSince what changed, unless the feed hides it', async () => {
    await start();
    const since = new Date(sandbox.supplier.nowMs()).toISOString();
    expect((await call(`/v3/products?updatedSince=${since}`)).body.items).toEqual([]);
    await control('POST', `products/${cwsProductId(3)}`, { quantity: 7 });
    sandbox.traffic.behaviors.set({ name: 'feedHidesChanges', subject: cwsProductId(4) });
    await control('POST', `products/${cwsProductId(4)}`, { quantity: 8 });
    const { items } = (await call(`/v3/products?updatedSince=${since}`)).body;
    expect(items).toMatchObject([{ productId: cwsProductId(3), quantity: 7 }]);
    expect((await call(`/v3/products?updatedSince=${since}&createdSince=${since}`)).status).toBe(400);
  });

  it('takes many changes in one control request', async () => {
    await start();
    const changes = [1, 2].map((number) => ({ productId: cwsProductId(number), quantity: 7000 + number }));
    expect((await control('POST', 'products', changes)).status).toBe(204);
    const { body } = await call(`/v3/products?productIds=${cwsProductId(2)},${cwsProductId(1)}`);
    expect(body.items).toMatchObject([
      { productId: cwsProductId(2), quantity: 7002 },
      { productId: cwsProductId(1), quantity: 7001 },
    ]);
  });

  it('answers 429 with Retry-After beyond its limit, without touching the limit of the single product', async () => {
    await start({ limits: { products: { requests: 1, perSeconds: 600 } } });
    expect((await call('/v3/products')).status).toBe(200);
    const limited = await call('/v3/products');
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call(`/v3/products/${cwsProductId(1)}`)).status).toBe(200);
  });

  it('hides a product that is gone and can hold a malformed one', async () => {
    await start();
    await control('POST', `products/${cwsProductId(1)}`, { gone: true });
    await control('POST', 'behaviors', { name: 'malformedProduct', subject: cwsProductId(2), times: 1 });
    const { items } = (await call('/v3/products')).body;
    expect(items[0]).toMatchObject({ productId: cwsProductId(2), prices: null });
    expect((await call(`/v3/products/${cwsProductId(1)}`)).body).toMatchObject({ status: 404, code: 20001 });
  });
});

describe('an order at the simulated CodesWholesale', () => {
  it('costs the band of its quantity and takes stock and money', async () => {
    await start({ balance: 5_000 });
    const productId = cwsProductId(1);
    await control('POST', `products/${productId}`, {
      quantity: 20,
      prices: [
        { value: 6.1, from: 10, to: null },
        { value: 6.32, from: 1, to: 9 },
      ],
    });
    expect((await order('one', 6.32)).body).toMatchObject({
      status: 'Completed',
      totalPrice: 6.32,
      clientOrderId: 'one',
    });
    expect((await order('ten', 6.1, 10)).body.totalPrice).toBe(61);
    expect((await order('cheap', 6.1)).status).toBe(400);
    const ledger = sandbox.orders.ledger();
    expect(ledger).toMatchObject({ balanceCents: 500_000 - 632 - 6_100, spentCents: 6_732 });
    expect((await call(`/v3/products/${productId}`)).body.quantity).toBe(9);
    const codes = ledger.orders.flatMap((each) => each.lines.flatMap((line) => line.codes.map((code) => code.code)));
    expect(new Set(codes).size).toBe(11);
  });

  it('is refused with the published codes', async () => {
    await start();
    const price = await priceOf(cwsProductId(1));
    expect((await order('a', price, 0)).body).toMatchObject({ status: 400, code: 40002 });
    expect((await order('b', price, 100_000)).body).toMatchObject({ status: 400, code: 310003 });
    expect((await order('c', price, 1, cwsProductId(999))).body).toMatchObject({ status: 404, code: 20001 });
    expect((await order('d', price - 0.01)).status).toBe(400);
    sandbox.traffic.behaviors.set({ name: 'sellsOutMidOrder', times: 1 });
    expect((await order('e', price)).body).toMatchObject({ status: 400, code: 310003 });
    await control('POST', 'settings', { balance: 0.01 });
    expect((await order('f', price)).body).toMatchObject({ status: 400, code: 10002 });
    expect(sandbox.orders.ledger().orders).toEqual([]);
  });

  it('buys twice when it is posted twice', async () => {
    await start();
    const price = await priceOf(cwsProductId(1));
    const first = await order('same', price);
    const second = await order('same', price);
    expect(second.body.orderId).not.toBe(first.body.orderId);
    expect(sandbox.orders.ledger().orders).toHaveLength(2);
  });

  it('is found in the history and by our id after its answer was lost', async () => {
    await start();
    const price = await priceOf(cwsProductId(1));
    await control('POST', 'behaviors', { name: 'answersAfterCommitNever', subject: cwsProductId(1), times: 1 });
    await expect(order('lost', price)).rejects.toThrow();
    const window = `startFrom=${new Date(Date.now() - 60_000).toISOString()}&endOn=${new Date(Date.now() + 60_000).toISOString()}`;
    const history = await call(`/v3/orders?${window}`);
    expect(history.body.items).toMatchObject([{ clientOrderId: 'lost', status: 'Completed' }]);
    const found = await call('/v3/orders/lost');
    expect(found.body.products[0].codes[0].code).toMatch(/^[0-9A-F-]{23}$/);
    expect(found.body.links[0].href).toBe(`${sandbox.url}/v3/orders/lost`);
    const posts = sandbox.traffic.requests().filter((request) => request.route === 'POST /v3/orders');
    expect(posts).toMatchObject([{ status: null, order: { orderId: 'lost', products: [{ price }] } }]);
  });

  it('leaves no trace when the request itself is lost', async () => {
    await start();
    await control('POST', 'behaviors', { name: 'losesRequest', route: 'POST /v3/orders', times: 1 });
    await expect(order('never', 100)).rejects.toThrow();
    expect((await call('/v3/orders/never')).status).toBe(404);
  });

  it('waits as Fulfilling without codes, then is Completed with them', async () => {
    await start();
    sandbox.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', seconds: 0.3 });
    sandbox.traffic.behaviors.set({ name: 'instant', subject: cwsProductId(2) });
    const placed = await order('slow', await priceOf(cwsProductId(1)));
    expect(placed.body).toMatchObject({ status: 'Fulfilling', products: [{ codes: [] }] });
    const quick = await order('quick', await priceOf(cwsProductId(2)), 1, cwsProductId(2));
    expect(quick.body.status).toBe('Completed');
    await new Promise((resolve) => setTimeout(resolve, 350));
    const later = await call(`/v3/orders/${placed.body.orderId}`);
    expect(later.body).toMatchObject({ status: 'Completed', products: [{ codes: [{ codeType: 'CODE_TEXT' }] }] });
  });

  it('that is cancelled takes neither money nor stock', async () => {
    await start();
    sandbox.traffic.behaviors.set({ name: 'cancelsOrder', times: 1 });
    const placed = await order('cancelled', await priceOf(cwsProductId(1)));
    expect(placed.body).toMatchObject({ status: 'Cancelled', products: [{ codes: [] }] });
    expect(sandbox.orders.ledger()).toMatchObject({ spentCents: 0, balanceCents: 10_000_000 });
  });

  it.each([
    ['codeComesLater', 'CODE_TEXT', '', 'CODE_TEXT'],
    ['preorderCodes', 'CODE_PREORDER', null, 'CODE_TEXT'],
    ['preorderCodesKeepType', 'CODE_PREORDER', 'Available on the day of release', 'CODE_PREORDER'],
  ] as const)(
    'with %s shows its code only through the code route, once it is there',
    async (name, type, empty, final) => {
      await start();
      sandbox.traffic.behaviors.set({ name });
      const placed = await order('waits', await priceOf(cwsProductId(1)));
      const [code] = placed.body.products[0].codes;
      expect(code).toMatchObject({ codeType: type, code: empty });
      expect((await call(`/v3/codes/${code.codeId}`)).body.code).toBe(empty);
      await control('POST', 'orders/waits/finish');
      const ready = (await call(`/v3/codes/${code.codeId}`)).body;
      expect(ready).toMatchObject({ codeType: final, code: expect.stringMatching(/^[0-9A-F-]{23}$/) });
    },
  );

  it('with image codes names a file and keeps its content for the code route', async () => {
    await start();
    sandbox.traffic.behaviors.set({ name: 'imageCodes' });
    const placed = await order('image', await priceOf(cwsProductId(1)));
    const [code] = placed.body.products[0].codes;
    expect(code).toMatchObject({ codeType: 'CODE_IMAGE', code: null, filename: expect.stringMatching(/\.png$/) });
    const { body } = await call(`/v3/codes/${code.codeId}`);
    expect(Buffer.from(body.code, 'base64').subarray(1, 4).toString()).toBe('PNG');
  });
});

it('refuses an unknown behavior by name and lists the known ones', async () => {
  await start();
  const response = await control('POST', 'behaviors', { name: 'explodes' });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('sellsOutMidOrder');
});
