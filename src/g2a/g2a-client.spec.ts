import { cents } from '../money/cents.js';
import { collect, failureOf, LocalUpstream } from '../upstream/spec-support/local-upstream.js';
import { G2aClient } from './g2a-client.js';
import type { MarketplaceOffer } from './g2a.types.js';

const offer = (changes: object = {}): object => ({
  id: '00000000-0000-4000-a000-000000000001',
  type: 'dropshipping',
  status: 'active',
  price: '5.98',
  businessPrice: '5.90',
  visibility: 'all',
  active: true,
  inventory: { size: 999, sold: 3 },
  product: { id: '10000008939005', name: 'Game' },
  ...changes,
});

const read: MarketplaceOffer = {
  g2aOfferId: '00000000-0000-4000-a000-000000000001',
  type: 'dropshipping',
  g2aProductId: 10000008939005,
  retailPrice: cents(598),
  businessPrice: cents(590),
  priceLimit: null,
  size: 999,
  isActive: true,
  visibility: 'all',
  productName: 'Game',
};

const euro = (value: unknown): object => ({ base: { value, currencyCode: 'EUR' } });

describe('G2aClient', () => {
  let upstream: LocalUpstream;
  let client: G2aClient;
  let baseUrl: string;

  beforeEach(async () => {
    upstream = new LocalUpstream();
    baseUrl = await upstream.start();
    client = new G2aClient({
      baseUrl,
      apiKey: 'the-key',
      apiSecret: 'the-secret',
      rate: { requests: 600, windowSeconds: 60 },
      timeoutMs: 5_000,
    });
  });
  afterEach(async () => {
    client.close();
    await upstream.stop();
  });

  it('sends the API key and secret as OAuth client id and secret', async () => {
    upstream.answer = () => ({ json: { data: offer() } });
    await client.offer('00000000-0000-4000-a000-000000000001');
    expect(Object.fromEntries(new URLSearchParams(upstream.tokenRequests[0]!.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the-key',
      client_secret: 'the-secret',
    });
  });

  describe('offers', () => {
    it('asks for pages until all results are had', async () => {
      upstream.answer = ({ query }) => ({
        json: {
          data: [offer({ id: `00000000-0000-4000-a000-00000000001${query.get('page')}` })],
          meta: { page: Number(query.get('page')), itemsPerPage: 100, totalResults: 201 },
        },
      });
      const pages = await collect(client.offers({ updatedAtFrom: new Date('2024-05-01T00:00:00Z') }));
      expect(pages.map(({ offers }) => offers[0]!.g2aOfferId)).toEqual([
        '00000000-0000-4000-a000-000000000011',
        '00000000-0000-4000-a000-000000000012',
        '00000000-0000-4000-a000-000000000013',
      ]);
      expect(Object.fromEntries(upstream.received[2]!.query)).toEqual({
        updatedAtFrom: '2024-05-01T00:00:00.000Z',
        page: '3',
        itemsPerPage: '100',
      });
    });

    it('ends after one page when there are no offers', async () => {
      upstream.answer = () => ({ json: { data: [], meta: { page: 1, itemsPerPage: 100, totalResults: 0 } } });
      expect(await collect(client.offers())).toEqual([{ offers: [], rejected: [], answeredAt: expect.any(Date) }]);
      expect(upstream.received).toHaveLength(1);
    });

    it.each([
      ['the same page again', 'meta.page', () => ({ data: [offer()], meta: { page: 1, totalResults: 500 } })],
      ['empty pages before the end', 'data is empty', () => ({ data: [], meta: { totalResults: 500 } })],
      ['no total', 'meta.totalResults', () => ({ data: [offer()], meta: {} })],
      ['no data', 'data is not an array', () => ({ meta: { totalResults: 0 } })],
    ])('fails on %s', async (_, field, json) => {
      upstream.answer = () => ({ json: json() });
      const error = await failureOf(collect(client.offers()));
      expect(error).toMatchObject({ system: 'g2a', kind: 'unknown' });
      expect(String(error)).toContain(field);
    });

    it('skips and reports an offer that it does not understand, and goes on with the others', async () => {
      upstream.answer = () => ({
        json: {
          data: [offer({ id: '00000000-0000-4000-a000-000000000099', price: 'cheap' }), null, offer()],
          meta: { totalResults: 3 },
        },
      });
      expect(await collect(client.offers())).toEqual([
        {
          offers: [read],
          rejected: [
            { g2aOfferId: '00000000-0000-4000-a000-000000000099', reason: 'price is not an amount' },
            { g2aOfferId: null, reason: 'offer is not an object' },
          ],
          answeredAt: expect.any(Date),
        },
      ]);
    });
  });

  describe('offer', () => {
    it.each<[string, object, Partial<MarketplaceOffer>]>([
      ['prices as texts', {}, {}],
      ['prices as numbers', { price: 5.98, businessPrice: 5.9 }, {}],
      ['nested prices', { price: { retail: euro('5.98'), business: euro('5.90') }, businessPrice: undefined }, {}],
      ['nested retail beside a flat business price', { price: { retail: euro(5.98) } }, {}],
      ['a pair of texts', { price: { retail: '5.98', business: '5.90' }, businessPrice: undefined }, {}],
      ['a price with its currency', { price: { value: '5.98', currencyCode: 'EUR' } }, {}],
      ['a country map: the lowest', { price: { PL: '6.50', DE: '5.98', FR: 7 } }, {}],
      ['a country map with ALL', { price: { PL: '1.00', ALL: '5.98' } }, {}],
      ['a nested country map', { price: { retail: { PL: euro('6.50'), DE: euro('5.98') } } }, {}],
      ['a third decimal: rounded down', { price: '5.989' }, {}],
      [
        'everything inside variants',
        {
          price: undefined,
          businessPrice: undefined,
          active: undefined,
          visibility: undefined,
          inventory: undefined,
          variants: [
            {
              price: { retail: euro('5.98'), business: '5.90' },
              inventory: { size: 999 },
              active: true,
              visibility: 'all',
            },
          ],
        },
        {},
      ],
      ['no price', { price: undefined, businessPrice: null }, { retailPrice: null, businessPrice: null }],
      ['a product id as a number', { product: { id: 10000008939005 } }, { productName: null }],
      ['no active, status active', { active: undefined, status: 'Active' }, {}],
      ['no active, another status', { active: undefined, status: 'inactive' }, { isActive: false }],
      ['active false beside status active', { active: false }, { isActive: false }],
      ['no type', { type: undefined }, { type: null }],
      ['no visibility', { visibility: undefined }, { visibility: null }],
      ['no inventory', { inventory: undefined }, { size: null }],
      [
        'price limits as texts and numbers',
        { priceLimit: { min: '1.20', max: 99 } },
        { priceLimit: { minPrice: cents(120), maxPrice: cents(9_900) } },
      ],
      [
        'fractions of a limit: rounded inwards',
        { priceLimit: { min: '1.201' } },
        { priceLimit: { minPrice: cents(121), maxPrice: null } },
      ],
      [
        'limits that are not set',
        { priceLimit: { min: 0, max: null } },
        { priceLimit: { minPrice: null, maxPrice: null } },
      ],
      ['no word about limits', { priceLimit: null }, { priceLimit: null }],
    ])('reads %s', async (_, changes, expected) => {
      upstream.answer = () => ({ json: { data: offer(changes) } });
      expect(await client.offer('00000000-0000-4000-a000-000000000001')).toEqual({ ...read, ...expected });
    });

    it.each<[string, object]>([
      ['price.currencyCode is not EUR', { price: { value: '5.98', currencyCode: 'PLN' } }],
      [
        'price.retail.base.currencyCode is not EUR',
        { price: { retail: { base: { value: '1', currencyCode: 'USD' } } } },
      ],
      ['price.retail.base.value', { price: { retail: { base: { currencyCode: 'EUR', value: null } } } }],
      ['price.retail.base', { price: { retail: { base: null } } }],
      ['price is not a price that we know', { price: {} }],
      ['price is not an amount', { price: true }],
      ['businessPrice is not an amount', { businessPrice: '5,98' }],
      ['product.id', { product: { id: '99999999999999999' } }],
      ['product.id', { product: { id: 9007199254740992 } }],
      ['product.id', { product: { id: 'abc' } }],
      ['product is not an object', { product: undefined }],
      ['inventory.size', { inventory: { size: 'many' } }],
      ['active', { active: 'yes' }],
      ['status', { active: undefined, status: undefined }],
      ['visibility', { visibility: 'friends' }],
      ['variants has more than one element', { variants: [{}, {}] }],
      ['id', { id: undefined }],
      ['priceLimit.max is not an amount', { priceLimit: { max: 'high' } }],
      ['priceLimit is not an object', { priceLimit: '1-9' }],
    ])('fails with the name of the field: %s', async (field, changes) => {
      upstream.answer = () => ({ json: { data: offer(changes) } });
      const error = await failureOf(client.offer('00000000-0000-4000-a000-000000000001'));
      expect(error).toMatchObject({ kind: 'unknown', status: 200 });
      expect(String(error)).toContain(`answer not understood: ${field}`);
    });

    it('is null when the offer is gone', async () => {
      upstream.answer = () => ({ status: 404, json: { code: 'OF01', message: 'not found' } });
      expect(await client.offer('00000000-0000-4000-a000-000000000001')).toBeNull();
    });
  });

  describe('updateOffer', () => {
    const bodyOf = async (change: Parameters<G2aClient['updateOffer']>[1]): Promise<unknown> => {
      upstream.answer = () => ({ status: 204 });
      await client.updateOffer('00000000-0000-4000-a000-000000000001', change);
      const request = upstream.received.at(-1)!;
      expect([request.method, request.path]).toEqual([
        'PATCH',
        '/v3/sales/offers/00000000-0000-4000-a000-000000000001',
      ]);
      return JSON.parse(request.body);
    };

    it('sends prices as decimal texts with two places', async () => {
      expect(
        await bodyOf({
          retailPrice: cents(647),
          businessPrice: cents(1000),
          size: 12,
          isActive: true,
          visibility: 'all',
        }),
      ).toEqual({
        offerType: 'dropshipping',
        variant: {
          price: { retail: '6.47', business: '10.00' },
          inventory: { size: 12 },
          active: true,
          visibility: 'all',
        },
      });
    });

    it('sends only what is given', async () => {
      expect(await bodyOf({ size: 0, isActive: false })).toEqual({
        offerType: 'dropshipping',
        variant: { inventory: { size: 0 }, active: false },
      });
      expect(await bodyOf({ retailPrice: cents(1) })).toEqual({
        offerType: 'dropshipping',
        variant: { price: { retail: '0.01' } },
      });
    });

    it.each(['retail', 'business'] as const)('sends only the %s price with that visibility', async (visibility) => {
      expect(await bodyOf({ retailPrice: cents(100), businessPrice: cents(100), visibility })).toEqual({
        offerType: 'dropshipping',
        variant: { price: { [visibility]: '1.00' }, visibility },
      });
    });

    it.each([-1, 10_001, 1.5])('does not send a size of %p', async (size) => {
      await expect(client.updateOffer('00000000-0000-4000-a000-000000000001', { size })).rejects.toThrow(RangeError);
    });

    it.each([
      [{ status: 200, json: { data: { jobId: 'job-1' } } }, 'job-1'],
      [{ status: 202, json: { data: { jobId: 'job-1' } } }, 'job-1'],
      [{ status: 204 }, null],
      [{ status: 200, json: {} }, null],
    ])('reads the job of the answer %p', async (reply, jobId) => {
      upstream.answer = () => reply;
      expect(await client.updateOffer('00000000-0000-4000-a000-000000000001', { size: 1 })).toEqual({ jobId });
    });

    it('repeats an update after a passing failure: its values are absolute', async () => {
      upstream.answer = () => (upstream.received.length === 1 ? { status: 502 } : { status: 204 });
      await client.updateOffer('00000000-0000-4000-a000-000000000001', { size: 1 });
      expect(upstream.received.map(({ body }) => body)).toEqual(Array(2).fill(upstream.received[0]!.body));
    });

    it('sends nothing when whoever asked for it objects right before', async () => {
      const beforeSend = (): never => {
        throw new RangeError('too late');
      };
      const update = client.updateOffer('00000000-0000-4000-a000-000000000001', { size: 1 }, { beforeSend });
      await expect(update).rejects.toThrow('too late');
      expect(upstream.received).toEqual([]);
    });

    it('tells of a refusal with its code', async () => {
      upstream.answer = () => ({ status: 400, json: { code: 'BR01', message: 'price out of range' } });
      const error = await failureOf(client.updateOffer('00000000-0000-4000-a000-000000000001', { size: 1 }));
      expect(error).toMatchObject({ kind: 'rejected', status: 400, upstreamCode: 'BR01' });
    });
  });

  describe('createOffer', () => {
    const create = () =>
      client.createOffer(10000008939005, { retailPrice: cents(803), businessPrice: cents(810), size: 4 });

    it('sends nothing when it turns out right before that it should not', async () => {
      const offer = { retailPrice: cents(803), businessPrice: cents(810), size: 4 };
      const beforeSend = () => {
        throw new RangeError('too late');
      };
      await expect(client.createOffer(10000008939005, offer, { beforeSend })).rejects.toThrow('too late');
      expect(upstream.received.filter(({ path }) => path === '/v3/sales/offers')).toEqual([]);
    });

    it('asks for an active dropshipping offer that everybody sees', async () => {
      upstream.answer = () => ({ status: 202, json: { data: { jobId: 'job-1' } } });
      expect(await create()).toEqual({ jobId: 'job-1' });
      const { method, path, body } = upstream.received[0]!;
      expect([method, path, JSON.parse(body)]).toEqual([
        'POST',
        '/v3/sales/offers',
        {
          offerType: 'dropshipping',
          variants: [
            {
              productId: '10000008939005',
              price: { retail: '8.03', business: '8.10' },
              inventory: { size: 4 },
              active: true,
              visibility: 'all',
            },
          ],
        },
      ]);
    });

    it('names the offer that exists already', async () => {
      const existingOfferId = '00000000-0000-4000-a000-000000000001';
      upstream.answer = () => ({ status: 409, json: { code: 'BR02', data: { offerId: existingOfferId } } });
      expect(await create()).toEqual({ existingOfferId });
    });

    it.each([
      ['a conflict that names no offer', { status: 409, json: { code: 'BR02' } }, 'unknown'],
      ['a failure of the server', { status: 502 }, 'unknown'],
      ['a refusal', { status: 400, json: { code: 'BR01' } }, 'rejected'],
    ])('fails after %s, and is never repeated', async (_, answer, kind) => {
      upstream.answer = () => answer;
      expect(await failureOf(create())).toMatchObject({ kind });
      expect(upstream.received).toHaveLength(1);
    });
  });

  describe('roomForUpdate', () => {
    it('takes the room that the update then uses', async () => {
      const tight = new G2aClient({
        baseUrl,
        apiKey: 'the-key',
        apiSecret: 'the-secret',
        rate: { requests: 1, windowSeconds: 60 },
      });
      upstream.answer = () => ({ status: 204 });
      const room = await tight.roomForUpdate({ maxWaitMs: 0 });
      await tight.updateOffer('00000000-0000-4000-a000-000000000001', { size: 1 }, { room, maxWaitMs: 0 });
      expect(upstream.received).toHaveLength(1);
      expect(await failureOf(tight.roomForUpdate({ maxWaitMs: 0 }))).toMatchObject({ kind: 'retry_after' });
      tight.close();
    });
  });

  describe('simulatePrice', () => {
    const simulate = () => client.simulatePrice(10000008939005, cents(598));

    it('asks about one product at one price', async () => {
      upstream.answer = () => ({ json: { income: { ALL: '5.01' } } });
      await simulate();
      const { method, path, query } = upstream.received[0]!;
      expect([method, path, Object.fromEntries(query)]).toEqual([
        'GET',
        '/v3/pricing/simulations',
        { productId: '10000008939005', price: '5.98' },
      ]);
    });

    it.each<[string, object, number, number | null]>([
      ['texts for all countries', { income: { ALL: '5.01' }, businessIncome: { ALL: '4.90' } }, 501, 490],
      ['numbers', { income: { ALL: 5.01 }, businessIncome: { ALL: 4.9 } }, 501, 490],
      ['the lowest over all countries', { income: { PL: '5.01', ALL: '5.20', DE: 4.99 } }, 499, null],
      ['one amount', { income: '5.01', businessIncome: 4.9 }, 501, 490],
      ['amounts with their currency', { income: { PL: { value: '5.01', currencyCode: 'EUR' } } }, 501, null],
      ['a third decimal: rounded down', { income: { ALL: '5.019' } }, 501, null],
      ['a loss', { income: { ALL: '-0.10' } }, -10, null],
      ['nothing', { income: { ALL: '0' } }, 0, null],
      ['an empty business income', { income: { ALL: '5.01' }, businessIncome: [] }, 501, null],
      ['everything within data', { data: { income: { ALL: '5.01' }, businessIncome: { ALL: '4.90' } } }, 501, 490],
    ])('reads %s', async (_, json, income, businessIncome) => {
      upstream.answer = () => ({ json });
      expect(await simulate()).toEqual({ income, businessIncome });
    });

    it.each<[string, object]>([
      ['income', {}],
      ['income', { income: {} }],
      ['income', { income: { total: '5.01' } }],
      ['income.ALL', { income: { ALL: null } }],
      ['income.PL', { income: { ALL: '5.01', PL: 'much' } }],
      ['income', { income: { ALL: '501' } }],
      ['income.currency', { income: { ALL: '5.01', currency: 'PLN' } }],
      ['businessIncome', { income: { ALL: '5.01' }, businessIncome: true }],
    ])('fails with the name of the field: %s', async (field, json) => {
      upstream.answer = () => ({ json });
      const error = await failureOf(simulate());
      expect(error).toMatchObject({ kind: 'unknown', status: 200 });
      expect(String(error)).toContain(`answer not understood: ${field}`);
    });

    it('is not repeated: what failed can be asked again later', async () => {
      upstream.answer = () => ({ status: 502 });
      expect(await failureOf(simulate())).toMatchObject({ status: 502 });
      expect(upstream.received).toHaveLength(1);
    });
  });

  it.each([
    ['complete', 'completed'],
    ['completed', 'completed'],
    ['Done', 'completed'],
    ['failed', 'failed'],
    ['error', 'failed'],
    ['in_progress', 'running'],
  ])('reads the job status %s as %s', async (status, state) => {
    upstream.answer = () => ({
      json: {
        data: {
          jobId: 'job-1',
          status,
          elements: [
            {
              resourceId: '00000000-0000-4000-a000-000000000001',
              resourceType: 'offer',
              status: 'failed',
              code: 17,
              message: 'no',
            },
          ],
        },
      },
    });
    expect(await client.job('job-1')).toEqual({
      state,
      elements: [{ resourceId: '00000000-0000-4000-a000-000000000001', state: 'failed', code: '17', message: 'no' }],
    });
  });
});
