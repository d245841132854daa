import { afterEach, describe, expect, it } from '@jest/globals';
import { g2aOfferId, g2aProductId } from './catalog.js';
import { type G2aSandbox, type G2aSandboxOptions, startG2aSandbox } from './g2a.js';

interface WireOffer {
  id: string;
  price: unknown;
  product: { id: unknown };
}

interface Answered<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

interface WireJob {
  jobId: string;
  status: string;
  elements: { resourceId: string }[];
}

let sandbox: G2aSandbox;

async function start(options: G2aSandboxOptions = {}): Promise<void> {
  sandbox = await startG2aSandbox({ products: 10, applyDelayMs: 30, ...options });
}

async function call<Body>(method: string, path: string, body?: unknown): Promise<Answered<Body>> {
  const credentials = {
    grant_type: 'client_credentials',
    client_id: 'sandbox-client',
    client_secret: 'sandbox-secret',
  };
  const headers = { 'content-type': 'application/json' };
  const tokenRequest = { method: 'POST', headers, body: JSON.stringify(credentials) };
  const token = (await (await fetch(`${sandbox.url}/oauth/token`, tokenRequest)).json()) as { access_token: string };
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token.access_token}`, ...(body === undefined ? {} : headers) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

function patch(number: number, variant: Record<string, unknown>, offerType = 'dropshipping') {
  return call<{ data: WireJob }>('PATCH', `/v3/sales/offers/${g2aOfferId(number)}`, { offerType, variant });
}

async function untilFinished(jobId: string): Promise<WireJob> {
  for (;;) {
    const { body } = await call<{ data: WireJob }>('GET', `/v3/jobs/${jobId}`);
    if (body.data.status === 'complete') return body.data;
  }
}

function listOffers(query = '') {
  return call<{ data: WireOffer[]; meta: { totalResults: number } }>('GET', `/v3/sales/offers${query}`);
}

afterEach(() => sandbox.close());

describe('an offer of the simulated G2A', () => {
  it('changes some time after the PATCH, when its job completes', async () => {
    await start({ applyDelayMs: 3_600_000 });
    const answer = await patch(1, {
      price: { retail: '6.47', business: '6.40' },
      inventory: { size: 12 },
      active: true,
    });
    expect(answer.status).toBe(202);
    const running = await call<{ data: WireJob }>('GET', `/v3/jobs/${answer.body.data.jobId}`);
    expect(running.body.data).toMatchObject({ status: 'pending', elements: [] });
    const before = await call<{ data: WireOffer }>('GET', `/v3/sales/offers/${g2aOfferId(1)}`);
    expect(before.body.data).toMatchObject({ price: '99.99', active: false, inventory: { size: 0 } });
    sandbox.marketplace.applyPending();
    const job = await untilFinished(answer.body.data.jobId);
    expect(job.elements).toEqual([{ resourceId: g2aOfferId(1), resourceType: 'offer', status: 'completed' }]);
    const after = await call<{ data: WireOffer }>('GET', `/v3/sales/offers/${g2aOfferId(1)}`);
    expect(after.body.data).toMatchObject({
      price: '6.47',
      businessPrice: '6.40',
      active: true,
      inventory: { size: 12 },
    });
    expect(sandbox.marketplace.patches(g2aOfferId(1))).toMatchObject([{ body: { variant: { active: true } } }]);
  });

  it('is not made active by stock alone', async () => {
    await start();
    await patch(1, { inventory: { size: 5 } });
    const offer = await sandbox.marketplace.waitForOffer(g2aOfferId(1), ({ size }) => size === 5, 5_000);
    expect(offer.active).toBe(false);
  });

  it('stays as it was when its job fails', async () => {
    await start();
    sandbox.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(1), times: 1 });
    const answer = await patch(1, { active: true });
    const job = await untilFinished(answer.body.data.jobId);
    expect(job.elements[0]).toMatchObject({ status: 'failed', code: 'BR02' });
    expect(sandbox.marketplace.offer(g2aOfferId(1)).active).toBe(false);
  });

  it.each([
    ['a price that is a number', { price: { retail: 6.47 } }],
    ['a price of zero', { price: { retail: '0.00' } }],
    ['three decimals', { price: { retail: '6.471' } }],
    ['a size above 10000', { inventory: { size: 10_001 } }],
    ['half a piece', { inventory: { size: 1.5 } }],
    ['the business price of a retail offer', { visibility: 'retail', price: { business: '6.47' } }],
    ['an unknown field', { stock: 3 }],
  ])('is not changed by %s', async (_title, variant) => {
    await start();
    expect(await patch(1, variant)).toMatchObject({ status: 400, body: { code: 'BR02' } });
    expect(sandbox.marketplace.patches()).toEqual([]);
  });

  it('can be answered with 204 and no job', async () => {
    await start({ patchAnswer: 204 });
    expect(await patch(1, { active: true })).toMatchObject({ status: 204, body: undefined });
    await sandbox.marketplace.waitForOffer(g2aOfferId(1), ({ active }) => active, 5_000);
  });

  it('shows an edit from the panel at once and under updatedAtFrom', async () => {
    await start();
    const since = new Date().toISOString();
    await fetch(`${sandbox.url}/_sandbox/offers/${g2aOfferId(3)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ active: true, price: '1.00', size: 4 }),
    });
    const { body } = await listOffers(`?updatedAtFrom=${since}`);
    expect(body.meta.totalResults).toBe(1);
    expect(body.data[0]).toMatchObject({ id: g2aOfferId(3), price: '1.00', active: true, status: 'active' });
  });

  it('is created once: the second attempt gets the id of the first', async () => {
    await start({ offers: 0 });
    const wanted = {
      offerType: 'dropshipping',
      variants: [{ productId: String(g2aProductId(2)), price: { retail: '5.00' }, inventory: { size: 1 } }],
    };
    const created = await call<{ data: WireJob }>('POST', '/v3/sales/offers', wanted);
    expect(created.status).toBe(202);
    const job = await untilFinished(created.body.data.jobId);
    expect(job.elements[0]!.resourceId).toBe(g2aOfferId(2));
    const again = await call<{ data: WireJob }>('POST', '/v3/sales/offers', wanted);
    expect(again).toMatchObject({ status: 409, body: { data: { offerId: g2aOfferId(2) } } });
  });
});

describe('the listing of the simulated G2A', () => {
  it('comes in pages and holds offers of other types', async () => {
    await start({ extraOffers: 2 });
    const first = await listOffers('?page=1&itemsPerPage=8');
    const second = await listOffers('?page=2&itemsPerPage=8');
    expect(first.body.meta).toEqual({ page: 1, itemsPerPage: 8, totalResults: 12 });
    expect(new Set([...first.body.data, ...second.body.data].map((offer) => offer.id)).size).toBe(12);
    expect(second.body.data.at(-1)).toMatchObject({ type: 'game', product: { id: String(g2aProductId(2)) } });
    expect((await listOffers('?type=game')).body.meta.totalResults).toBe(2);
    expect((await listOffers('?itemsPerPage=101')).status).toBe(400);
  });

  it('takes each of the seen shapes', async () => {
    await start({ listShape: { price: 'nested', productId: 'number', omitsActive: true, omitsType: true } });
    const [nested] = (await listOffers()).body.data;
    expect(nested!.price).toMatchObject({ retail: { base: { value: '99.99', currencyCode: 'EUR' } } });
    expect(nested!.product.id).toBe(g2aProductId(1));
    expect(nested).not.toHaveProperty('active');
    expect(nested).not.toHaveProperty('type');
    expect(nested).toMatchObject({ status: 'inactive' });
    sandbox.shapes.list = { price: 'number' };
    expect((await listOffers()).body.data[0]).toMatchObject({ price: 99.99, type: 'dropshipping' });
  });

  it('answers 429 with Retry-After beyond its limit', async () => {
    await start({ limits: { api: { requests: 1, perSeconds: 60 } } });
    expect((await listOffers()).status).toBe(200);
    const limited = await listOffers();
    expect(limited).toMatchObject({ status: 429, body: { code: 'BR03' } });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

it('simulates the income after the real fee, rounded down', async () => {
  await start({ feePercent: 15 });
  const { body } = await call<{ income: unknown; finalePrice: { PL: string } }>(
    'GET',
    `/v3/pricing/simulations?productId=${g2aProductId(1)}&price=5.98`,
  );
  expect(body.income).toEqual({ ALL: '5.08' });
  expect(Number(body.finalePrice.PL)).toBeGreaterThan(5.98);
});

it('simulates the fee that a product was given, or lies when told to', async () => {
  await start({ feePercent: 15 });
  const simulate = async (number: number) =>
    (await call('GET', `/v3/pricing/simulations?productId=${g2aProductId(number)}&price=10.00`)).body;
  const setFee = (number: number, fee: object) =>
    fetch(`${sandbox.url}/_sandbox/products/${g2aProductId(number)}/fee`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fee),
    });
  await setFee(1, { feePercent: 20, businessFeePercent: 12.5, feeFixedCents: 30 });
  await setFee(2, { feePercentByCountry: { PL: 20, DE: 25 } });
  await setFee(3, { lie: { income: 'soon' } });
  expect(await simulate(1)).toMatchObject({ income: { ALL: '7.70' }, businessIncome: { ALL: '8.45' } });
  expect(await simulate(2)).toMatchObject({ income: { PL: '8.00', DE: '7.50' }, businessIncome: { ALL: '8.50' } });
  expect(await simulate(3)).toEqual({ income: 'soon' });
  expect(await simulate(4)).toMatchObject({ income: { ALL: '8.50' } });
});

it('shows the price limits that an offer was given', async () => {
  await start();
  sandbox.marketplace.edit(g2aOfferId(1), { priceLimit: { min: '1.00', max: '9.00' } });
  const { body } = await listOffers();
  expect(body.data[0]).toMatchObject({ priceLimit: { min: '1.00', max: '9.00' } });
  expect(body.data[1]).not.toHaveProperty('priceLimit');
});
