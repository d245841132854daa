import { inspect } from 'node:util';
import fc from 'fast-check';
import { cents } from '../money/cents.js';
import { collect, failureOf, LocalUpstream } from '../upstream/spec-support/local-upstream.js';
import { CwsClient } from './cws-client.js';
import type { PlaceOrder } from './cws.types.js';

const product = (productId: string, changes: object = {}): object => ({
  productId,
  identifier: 'ATHOPCS',
  name: `Game ${productId}`,
  platform: 'Steam',
  quantity: 216,
  regions: ['WORLDWIDE'],
  prices: [
    { value: 6.1, from: 10, to: null },
    { value: 6.32, from: 1, to: 9 },
  ],
  releaseDate: '2020-08-26T22:00:00.000Z',
  ...changes,
});

const order = (changes: object = {}): object => ({
  orderId: 'cws-1',
  clientOrderId: 'ours-1',
  totalPrice: 6.32,
  createdOn: '2024-05-01T10:00:00.000Z',
  status: 'Completed',
  products: [
    {
      productId: '00000000-0000-4000-8000-000000000001',
      name: 'Game',
      unitPrice: 6.32,
      codes: [{ codeId: 'c-1', codeType: 'CODE_TEXT', code: 'AAAA-BBBB', filename: '', links: [] }],
      links: [],
    },
  ],
  links: [],
  ...changes,
});

const withCode = (code: object): object =>
  order({ products: [{ productId: '00000000-0000-4000-8000-000000000001', unitPrice: 6.32, codes: [code] }] });

/** What Spring Boot, behind a gateway for example, answers by itself. */
const springs = (status: number, error: string): object => ({
  timestamp: '2026-11-01T10:00:00.000+00:00',
  status,
  error,
  path: '/v3/orders/ours-1',
});

const purchase: PlaceOrder = {
  clientOrderId: 'ours-1',
  cwsProductId: '00000000-0000-4000-8000-000000000001',
  quantity: 1,
  unitPriceCap: cents(632),
};

describe('CwsClient', () => {
  let upstream: LocalUpstream;
  let client: CwsClient;

  beforeEach(async () => {
    upstream = new LocalUpstream();
    client = new CwsClient({
      baseUrl: await upstream.start(),
      clientId: 'client-id',
      clientSecret: 'client-secret',
      clientSignature: 'the-signature',
      productsRate: { requests: 400, windowSeconds: 600 },
      productRate: { requests: 600, windowSeconds: 300 },
      ordersRate: { requests: 6000, windowSeconds: 60 },
      timeoutMs: 5_000,
    });
  });
  afterEach(async () => {
    client.close();
    await upstream.stop();
  });

  it('sends the signature with the token request and with every call', async () => {
    upstream.answer = () => ({ json: { currentBalance: 1, currentCredit: 0, totalToUse: 1 } });
    await client.account();
    expect(upstream.tokenRequests[0]!.headers['x-client-signature']).toBe('the-signature');
    expect(upstream.received[0]!.headers['x-client-signature']).toBe('the-signature');
  });

  describe('products', () => {
    it('follows the continuation token to the end and keeps the filter on each page', async () => {
      upstream.answer = ({ query }) =>
        query.get('continuationToken') === null
          ? { json: { continuationToken: 'next page', items: [product('00000000-0000-4000-8000-000000000001')] } }
          : { json: { continuationToken: null, items: [product('00000000-0000-4000-8000-000000000002')] } };
      const pages = await collect(client.products({ updatedSince: new Date('2024-05-01T00:00:00Z') }));
      expect(pages.flatMap(({ products }) => products.map(({ cwsProductId }) => cwsProductId))).toEqual([
        '00000000-0000-4000-8000-000000000001',
        '00000000-0000-4000-8000-000000000002',
      ]);
      expect(upstream.received.map(({ query }) => Object.fromEntries(query))).toEqual([
        { updatedSince: '2024-05-01T00:00:00.000Z' },
        { updatedSince: '2024-05-01T00:00:00.000Z', continuationToken: 'next page' },
      ]);
    });

    it('stops at a continuation token that comes twice', async () => {
      upstream.answer = () => ({
        json: { continuationToken: 'same', items: [product('00000000-0000-4000-8000-000000000001')] },
      });
      const error = await failureOf(collect(client.products()));
      expect(error).toMatchObject({ kind: 'unknown' });
      expect(String(error)).toContain('continuationToken repeats itself');
      expect(upstream.received).toHaveLength(2);
    });

    it('reads a product with its price bands sorted by quantity', async () => {
      upstream.answer = () => ({
        json: { continuationToken: null, items: [product('00000000-0000-4000-8000-000000000001')] },
      });
      const [page] = await collect(client.products());
      expect(page).toEqual({
        continueFrom: null,
        answeredAt: expect.any(Date),
        products: [
          {
            cwsProductId: '00000000-0000-4000-8000-000000000001',
            name: 'Game 00000000-0000-4000-8000-000000000001',
            platform: 'Steam',
            quantity: 216,
            priceBands: [
              { fromQuantity: 1, toQuantity: 9, unitPrice: 632 },
              { fromQuantity: 10, toQuantity: null, unitPrice: 610 },
            ],
            releaseDate: new Date('2020-08-26T22:00:00.000Z'),
          },
        ],
        rejected: [],
      });
    });

    it.each([
      ['quantity', { quantity: '216' }],
      ['quantity', { quantity: null }],
      ['quantity', { quantity: -1 }],
      ['name', { name: undefined }],
      ['prices', { prices: null }],
      ['prices[0].value', { prices: [{ value: null, from: 1, to: null }] }],
      ['prices[0].value', { prices: [{ value: 0, from: 1, to: null }] }],
      ['prices[0].value', { prices: [{ value: 'free', from: 1, to: null }] }],
      ['prices[0].from', { prices: [{ value: 1, from: 0, to: null }] }],
      ['prices[0].to', { prices: [{ value: 1, from: 5, to: 4 }] }],
      [
        'prices has bands that overlap',
        {
          prices: [
            { value: 1, from: 1, to: null },
            { value: 2, from: 5, to: 9 },
          ],
        },
      ],
      ['releaseDate', { releaseDate: 'soon' }],
      ['quantity is implausibly high', { quantity: 3_000_000_000 }],
      ['prices[0].value is implausibly high', { prices: [{ value: 30_000_000, from: 1, to: null }] }],
      ['name', { name: 'a\0b' }],
    ])('skips and reports a product with a wrong %s, and goes on with the others', async (field, changes) => {
      upstream.answer = () => ({
        json: {
          continuationToken: null,
          items: [
            product('00000000-0000-4000-8000-000000000098', changes),
            product('00000000-0000-4000-8000-000000000003'),
          ],
        },
      });
      const [page] = await collect(client.products());
      expect(page!.products.map(({ cwsProductId }) => cwsProductId)).toEqual(['00000000-0000-4000-8000-000000000003']);
      expect(page!.rejected).toEqual([
        { cwsProductId: '00000000-0000-4000-8000-000000000098', reason: expect.stringContaining(field) as string },
      ]);
    });

    it('reports a product whose id cannot be read', async () => {
      upstream.answer = () => ({ json: { items: ['what', product('x'), product('x', { productId: 17 })] } });
      const [page] = await collect(client.products());
      expect(page!.rejected.map(({ cwsProductId }) => cwsProductId)).toEqual([null, null, null]);
    });

    it('fails on a page without items', async () => {
      upstream.answer = () => ({ json: {} });
      expect(String(await failureOf(collect(client.products())))).toContain('items is not an array');
    });

    it('asks for many ids in batches whose URLs stay below 4 KB, each id once', async () => {
      upstream.answer = () => ({ json: { continuationToken: null, items: [] } });
      const ids = Array.from(
        { length: 300 },
        (_, index) => `5ffb3b0a-0000-4000-8000-${String(index).padStart(12, '0')}`,
      );
      await collect(client.products({ cwsProductIds: ids }));
      expect(upstream.received.flatMap(({ query }) => query.get('productIds')!.split(','))).toEqual(ids);
      for (const { url } of upstream.received) expect(url.length).toBeLessThan(4_096);
      expect(upstream.received.length).toBeLessThan(6);
    });

    it('goes on behind a page where it was told to, and says by its clock when CWS answered', async () => {
      upstream.answer = ({ query }) => ({
        headers: { date: 'Wed, 01 May 2024 10:00:00 GMT' },
        json: { continuationToken: query.get('continuationToken') === 'second' ? 'third' : null, items: [] },
      });
      const pages = await collect(client.products({ updatedSince: new Date(0), continueFrom: 'second' }));
      expect(upstream.received.map(({ query }) => query.get('continuationToken'))).toEqual(['second', 'third']);
      expect(pages).toEqual(
        ['third', null].map((continueFrom) => ({
          products: [],
          rejected: [],
          continueFrom,
          answeredAt: new Date('2024-05-01T10:00:00Z'),
        })),
      );
    });

    it('asks for nothing when the list of ids is empty', async () => {
      expect(await collect(client.products({ cwsProductIds: [] }))).toEqual([]);
      expect(upstream.received).toHaveLength(0);
    });
  });

  it('rounds a unit price with fractions of a cent up', async () => {
    upstream.answer = () => ({
      json: product('00000000-0000-4000-8000-000000000001', { prices: [{ value: 6.321, from: 1, to: null }] }),
    });
    expect((await client.product('00000000-0000-4000-8000-000000000001'))!.priceBands[0]!.unitPrice).toBe(633);
  });

  it('knows a product that is gone from an answer that is not understood', async () => {
    upstream.answer = () => ({ status: 404, json: { status: 404, code: 20001, message: 'not in price list' } });
    expect(await client.product('00000000-0000-4000-8000-000000000001')).toBeNull();
    upstream.answer = () => ({ status: 404, text: 'no such page' });
    expect(await failureOf(client.product('00000000-0000-4000-8000-000000000001'))).toMatchObject({
      kind: 'unknown',
      status: 404,
    });
  });

  describe('placeOrder', () => {
    it('sends our id, the product and the cap as a number with the cents exact, without pre-orders', async () => {
      upstream.answer = () => ({ json: order() });
      const placed = await client.placeOrder(purchase);
      expect(upstream.received[0]!.body).toBe(
        '{"allowPreOrder":false,"orderId":"ours-1","products":[{"productId":"00000000-0000-4000-8000-000000000001","price":6.32,"quantity":1}]}',
      );
      expect(placed).toEqual({
        cwsOrderId: 'cws-1',
        clientOrderId: 'ours-1',
        status: 'completed',
        totalPrice: 632,
        createdAt: new Date('2024-05-01T10:00:00.000Z'),
        lines: [
          {
            cwsProductId: '00000000-0000-4000-8000-000000000001',
            unitPrice: 632,
            codes: [{ codeId: 'c-1', kind: 'text', value: 'AAAA-BBBB', fileName: null }],
          },
        ],
      });
    });

    it('writes every cap so that the decimal on the wire is exact', async () => {
      upstream.answer = () => ({ status: 400, json: { status: 400, code: 40002, message: 'no' } });
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 10_000_000 }), async (amount) => {
          await failureOf(client.placeOrder({ ...purchase, unitPriceCap: cents(amount) }));
          const price = /"price":(\d+)(?:\.(\d{1,2}))?,/.exec(upstream.received.at(-1)!.body)!;
          expect(Number(price[1]) * 100 + Number((price[2] ?? '').padEnd(2, '0'))).toBe(amount);
        }),
        { numRuns: 50 },
      );
    });

    it.each([
      [400, 310003],
      [400, 10002],
      [404, 20001],
    ])("is refused by an HTTP %i with CWS's code %i", async (status, code) => {
      upstream.answer = () => ({ status, json: { status, code, message: 'refused', moreInfo: null } });
      const error = await failureOf(client.placeOrder(purchase));
      expect(error).toMatchObject({ system: 'cws', kind: 'rejected', status, upstreamCode: String(code) });
    });

    it.each<[string, { status?: number; json?: unknown; text?: string } | 'reset' | 'silent']>([
      ['a reset', 'reset'],
      ['a 500', { status: 500, json: { status: 500, code: 90001, message: 'theirs' } }],
      ['a 208', { status: 208, json: order() }],
      ['a 404 in the words of a gateway', { status: 404, json: springs(404, 'Not Found') }],
      ['a 404 with a code of a gateway', { status: 404, json: { code: 5, message: 'Not Found' } }],
      ["a 404 with another answer's status", { status: 404, json: { status: 400, code: 310003, message: 'no' } }],
      ["a 400 that is OAuth's", { status: 400, json: { error: 'invalid_request', error_description: 'no' } }],
      ['a second 401', { status: 401, json: { error: 'invalid_token' } }],
      ['an order of another id', { json: order({ clientOrderId: 'ours-2' }) }],
      ['an order without our id', { json: order({ clientOrderId: null }) }],
      [
        'an order of another product',
        { json: order({ products: [{ productId: '00000000-0000-4000-8000-000000000002', codes: [] }] }) },
      ],
      [
        'an order of two products',
        {
          json: order({
            products: [
              { productId: '00000000-0000-4000-8000-000000000001' },
              { productId: '00000000-0000-4000-8000-000000000001' },
            ],
          }),
        },
      ],
      [
        'a price above the cap',
        {
          json: order({
            products: [{ productId: '00000000-0000-4000-8000-000000000001', unitPrice: 6.33, codes: [] }],
          }),
        },
      ],
      [
        'a total above the cap for its quantity',
        {
          json: order({
            totalPrice: 6.33,
            products: [{ productId: '00000000-0000-4000-8000-000000000001', codes: [] }],
          }),
        },
      ],
      [
        'an order that tells no price',
        {
          json: order({
            totalPrice: null,
            products: [{ productId: '00000000-0000-4000-8000-000000000001', codes: [] }],
          }),
        },
      ],
      ['a code without an id', { json: withCode({ codeType: 'CODE_TEXT', code: 'SECRET-KEY' }) }],
      ['an empty answer', {}],
    ])('is unclear after %s, and is not sent again', async (name, reply) => {
      upstream.answer = () => reply;
      const error = await failureOf(client.placeOrder(purchase));
      expect(error).toMatchObject({ kind: 'unknown' });
      expect(upstream.received).toHaveLength(name === 'a second 401' ? 2 : 1);
    });

    it('shows no key in the error for an answer that is not understood', async () => {
      upstream.answer = () => ({ json: withCode({ codeType: 'CODE_TEXT', code: 'SECRET-KEY' }) });
      const error = await failureOf(client.placeOrder(purchase));
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('SECRET-KEY');
      expect(String(error)).toContain('products[0].codes[0].codeId');
    });

    it.each([0, 1.5, Number.NaN])('does not send a quantity of %p', async (quantity) => {
      await expect(client.placeOrder({ ...purchase, quantity })).rejects.toThrow(RangeError);
      expect(upstream.received).toHaveLength(0);
    });
  });

  describe('order', () => {
    it.each([
      ['Completed', 'completed'],
      ['FULFILLING', 'fulfilling'],
      ['cancelled', 'cancelled'],
      ['Failed', 'failed'],
      ['Dreaming', 'unknown'],
    ])('reads the status %s as %s', async (status, expected) => {
      upstream.answer = () => ({ json: order({ status }) });
      expect((await client.order('ours-1'))!.status).toBe(expected);
      expect(upstream.received[0]!.path).toBe('/v3/orders/ours-1');
    });

    it.each([
      [
        { codeType: 'CODE_TEXT', code: 'KEY' },
        { kind: 'text', value: 'KEY', fileName: null },
      ],
      [
        { codeType: 'CODE_TEXT', code: '' },
        { kind: 'text', value: null, fileName: null },
      ],
      [
        { codeType: 'CODE_IMAGE', code: null, filename: 'a.png' },
        { kind: 'image', value: null, fileName: 'a.png' },
      ],
      [
        { codeType: 'CODE_PREORDER', code: null },
        { kind: 'preorder', value: null, fileName: null },
      ],
      [
        { codeType: 'PRE_ORDER', code: 'to be released' },
        { kind: 'preorder', value: null, placeholder: 'to be released', fileName: null },
      ],
      [
        { codeType: 'CODE_SOUND', code: 'la la' },
        { kind: 'unknown', value: null, fileName: null },
      ],
      [{ code: 'KEY' }, { kind: 'unknown', value: null, fileName: null }],
    ])('reads the code %p', async (code, expected) => {
      upstream.answer = () => ({ json: withCode({ codeId: 'c-1', ...code }) });
      expect((await client.order('cws-1'))!.lines[0]!.codes).toEqual([{ codeId: 'c-1', ...expected }]);
    });

    it('reads the codes beside one of an unknown type', async () => {
      const codes = [
        { codeId: 'c-1', codeType: 'CODE_SOUND', code: 'la la' },
        { codeId: 'c-2', codeType: 'CODE_TEXT', code: 'KEY' },
      ];
      const [line] = (order() as { products: object[] }).products;
      upstream.answer = () => ({ json: order({ products: [{ ...line, codes }] }) });
      expect((await client.order('cws-1'))!.lines[0]!.codes).toMatchObject([
        { codeId: 'c-1', value: null },
        { codeId: 'c-2', value: 'KEY' },
      ]);
    });

    it('keeps what it does not need to know open: no price, no codes, a date in an unknown format', async () => {
      upstream.answer = () => ({
        json: order({
          totalPrice: null,
          createdOn: '1 May',
          products: [{ productId: '00000000-0000-4000-8000-000000000001' }],
        }),
      });
      expect(await client.order('cws-1')).toMatchObject({
        totalPrice: null,
        createdAt: null,
        lines: [{ cwsProductId: '00000000-0000-4000-8000-000000000001', unitPrice: null, codes: [] }],
      });
    });

    it('writes the id of a product as we do, whatever its letters', async () => {
      upstream.answer = () => ({ json: order({ products: [{ productId: 'ABCDEF00-0000-4000-8000-000000000001' }] }) });
      expect((await client.order('cws-1'))!.lines[0]!.cwsProductId).toBe('abcdef00-0000-4000-8000-000000000001');
    });

    it('is null when CWS does not know it', async () => {
      upstream.answer = () => ({ status: 404, json: { status: 404, code: 50001, message: 'no order' } });
      expect(await client.order('ours-1')).toBeNull();
    });
  });

  it('takes the value of a pre-order for its key when it is asked for by its id, whatever its type says', async () => {
    upstream.answer = () => ({ json: { codeId: 'c-1', codeType: 'CODE_PREORDER', code: 'KEY', filename: null } });
    expect(await client.code('c-1')).toEqual({ codeId: 'c-1', kind: 'preorder', value: 'KEY', fileName: null });
    upstream.answer = () => ({ json: { codeId: 'c-1', codeType: 'CODE_PREORDER', code: null, filename: null } });
    expect(await client.code('c-1')).toMatchObject({ kind: 'preorder', value: null });
  });

  it('fetches a code, and null for one that does not exist', async () => {
    upstream.answer = () => ({ json: { codeId: 'c-1', codeType: 'CODE_TEXT', code: 'KEY', filename: null } });
    expect(await client.code('c-1')).toEqual({ codeId: 'c-1', kind: 'text', value: 'KEY', fileName: null });
    upstream.answer = () => ({ status: 404, json: { status: 404, code: 50002, message: 'code not found' } });
    expect(await client.code('c-2')).toBeNull();
  });

  it('rounds the account down and accepts a debt', async () => {
    upstream.answer = () => ({
      json: { fullName: 'A', currentBalance: -1.001, currentCredit: 10.999, totalToUse: 9.5 },
    });
    expect(await client.account()).toEqual({ currentBalance: -101, currentCredit: 1099, totalToUse: 950 });
  });

  describe('a single product for somebody who waits', () => {
    const id = '00000000-0000-4000-8000-000000000001';
    const paths = () => upstream.received.map(({ url }) => url.replace(/\?.*/, ''));

    it('is asked for by its own route, whose limit the feed does not need', async () => {
      upstream.answer = () => ({ json: product(id) });
      expect(await collect(client.productsNow([id]))).toMatchObject([{ products: [{ cwsProductId: id }] }]);
      expect(paths()).toEqual([`/v3/products/${id}`]);
    });

    it('is asked for by the list when its own route has no room', async () => {
      upstream.answer = ({ url }) =>
        url.includes(id) && !url.includes('?')
          ? { status: 429, json: {} }
          : { json: { continuationToken: null, items: [product(id)] } };
      expect(await collect(client.productsNow([id]))).toMatchObject([{ products: [{ cwsProductId: id }] }]);
      expect(paths()).toEqual([`/v3/products/${id}`, '/v3/products']);
    });

    it('is told as not understood like in a list, and as absent where CWS says so', async () => {
      upstream.answer = () => ({ json: product(id, { quantity: 'many' }) });
      expect(await collect(client.productsNow([id]))).toEqual([
        { products: [], rejected: [{ cwsProductId: id, reason: expect.stringContaining('quantity') }] },
      ]);
      upstream.answer = () => ({ status: 404, json: { status: 404, code: 20001, message: 'product not found' } });
      expect(await collect(client.productsNow([id]))).toEqual([{ products: [], rejected: [] }]);
    });

    it('is not another one', async () => {
      upstream.answer = () => ({ json: product('00000000-0000-4000-8000-000000000002') });
      expect(await failureOf(collect(client.productsNow([id])))).toMatchObject({ kind: 'unknown' });
    });
  });

  it('keeps within the rate of single products', async () => {
    const slow = new CwsClient({
      baseUrl: `http://127.0.0.1:${upstream.port}`,
      clientId: 'id',
      clientSecret: 'secret',
      productsRate: { requests: 1, windowSeconds: 60 },
      productRate: { requests: 1, windowSeconds: 60 },
      ordersRate: { requests: 6000, windowSeconds: 60 },
    });
    upstream.answer = () => ({ json: product('00000000-0000-4000-8000-000000000001') });
    await slow.product('00000000-0000-4000-8000-000000000001');
    expect(await failureOf(slow.product('00000000-0000-4000-8000-000000000001', { maxWaitMs: 0 }))).toMatchObject({
      kind: 'retry_after',
    });
    expect(upstream.received).toHaveLength(1);
    slow.close();
  });
});
