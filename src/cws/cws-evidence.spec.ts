import { failureOf, LocalUpstream } from '../upstream/spec-support/local-upstream.js';
import { CwsClient } from './cws-client.js';

const window = { from: new Date(0), to: new Date(1_000), ownPrefix: 'KF-' };

/** What Spring Boot, behind a gateway for example, answers by itself. */
const springs = (status: number, error: string): object => ({
  timestamp: '2026-11-01T10:00:00.000+00:00',
  status,
  error,
  path: '/v3/orders/ours-1',
});

describe('CwsClient, asked for what may not exist', () => {
  let upstream: LocalUpstream;
  let client: CwsClient;

  beforeEach(async () => {
    upstream = new LocalUpstream();
    client = new CwsClient({
      baseUrl: await upstream.start(),
      clientId: 'client-id',
      clientSecret: 'client-secret',
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

  it('reads the whole order history, paged or not', async () => {
    upstream.answer = ({ query }) => ({
      json: {
        items: [{ orderId: query.get('continuationToken') ?? 'first', status: 'Completed', totalPrice: 6.32 }],
        continuationToken: query.get('continuationToken') === null ? 'second' : undefined,
      },
    });
    const history = await client.orderHistory(window);
    expect(history.map(({ cwsOrderId, clientOrderId }) => [cwsOrderId, clientOrderId])).toEqual([
      ['first', null],
      ['second', null],
    ]);
    expect(Object.fromEntries(upstream.received[0]!.query)).toEqual({
      startFrom: '1970-01-01T00:00:00.000Z',
      endOn: '1970-01-01T00:00:01.000Z',
    });
  });

  describe('an order history with an entry that it does not understand', () => {
    const readable = { orderId: 'a', clientOrderId: 'KF-1', status: 'Completed' };

    it.each([
      ['items[1].orderId', { clientOrderId: 'KF-2', status: 'Completed' }],
      ['items[1].status', { orderId: 'b', clientOrderId: 'kf-2', status: null }],
      ['items[1].totalPrice', { orderId: 'b', clientOrderId: ' KF-2', status: 'Completed', totalPrice: 'free' }],
      ['items[1].clientOrderId', { orderId: 'b', clientOrderId: 17, status: 'Completed' }],
      ['items[1] is not an object', 'what'],
    ])('fails where it may be ours (%s): absence there is evidence', async (field, entry) => {
      upstream.answer = () => ({ json: { items: [readable, entry] } });
      const error = await failureOf(client.orderHistory(window));
      expect(error).toMatchObject({ kind: 'unknown' });
      expect(String(error)).toContain(field);
    });

    it.each([
      ['items[0].orderId', { status: 'Completed' }],
      ['items[0].status', { orderId: 'b', clientOrderId: null, status: null }],
      ['items[0].totalPrice', { orderId: 'b', clientOrderId: 'panel-17', status: 'Completed', totalPrice: 'free' }],
      ['items[0].status', { orderId: 'b', clientOrderId: '' }],
    ])('skips what others made (%s), tells why, and reads ours', async (field, entry) => {
      upstream.answer = () => ({ json: { items: [entry, readable] } });
      const skipped: string[] = [];
      const history = await client.orderHistory({ ...window, onSkipped: (reasons) => skipped.push(...reasons) });
      expect(history.map(({ cwsOrderId }) => cwsOrderId)).toEqual(['a']);
      expect(skipped).toEqual([expect.stringContaining(field)]);
    });
  });

  describe('a 404 of something in between', () => {
    const asked: [string, (cws: CwsClient) => Promise<unknown>][] = [
      ['an order', (cws) => cws.order('ours-1')],
      ['the order history', (cws) => cws.orderHistory(window)],
      ['a code', (cws) => cws.code('c-1')],
      ['a product', (cws) => cws.product('00000000-0000-4000-8000-000000000001')],
    ];
    const bodies: [string, object][] = [
      ['Spring', springs(404, 'Not Found')],
      ['OAuth', { error: 'not_found', error_description: 'no such route' }],
      ['a gateway with codes', { code: 5, message: 'Not Found', details: [] }],
      ['a gateway with a message', { message: 'no Route matched with those values' }],
    ];
    it.each(asked.flatMap(([what, ask]) => bodies.map(([whose, json]) => ({ what, ask, whose, json }))))(
      'says nothing about $what ($whose)',
      async ({ ask, json }) => {
        upstream.answer = () => ({ status: 404, json });
        expect(await failureOf(ask(client))).toMatchObject({ kind: 'unknown', status: 404 });
      },
    );
  });

  it("takes OAuth's word for the token alone", async () => {
    upstream.answer = () => ({ status: 401, json: { error: 'invalid_token', error_description: 'expired' } });
    expect(await failureOf(client.order('ours-1'))).toMatchObject({ kind: 'rejected', upstreamCode: 'invalid_token' });
    for (const status of [400, 403]) {
      upstream.answer = () => ({ status, json: { error: 'invalid_request' } });
      expect(await failureOf(client.order('ours-1'))).toMatchObject({ kind: 'unknown', status });
    }
  });
});
