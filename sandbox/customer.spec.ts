import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { Customer } from './customer.js';

/** The least of a merchant: counts tokens, takes them back when told, and has the key at the third look. */
let merchant: FastifyInstance;
let customer: Customer;
let tokens: number;
let looks: number;
let received: unknown;

beforeEach(async () => {
  tokens = 0;
  looks = 0;
  merchant = Fastify({ forceCloseConnections: true });
  merchant.get('/oauth/token', () => ({
    access_token: `token-${(tokens += 1)}`,
    token_type: 'bearer',
    expires_in: 3600,
  }));
  merchant.post('/reservation', (request, reply) => {
    received = request.body;
    if (request.headers.authorization === 'Bearer token-1')
      return reply.code(401).send({ code: 'x', message: 'expired' });
    return { reservation_id: 'r', stock: [] };
  });
  merchant.post('/order', (_request, reply) =>
    reply.code(503).header('retry-after', '7').send({ code: 'paused', message: 'Later.' }),
  );
  merchant.delete('/reservation/r', (_request, reply) => reply.code(204).send());
  merchant.get('/order/o/inventory', () => {
    looks += 1;
    const inventory = looks < 3 ? [] : [{ id: 'i', value: 'KEY', kind: 'text' }];
    return [{ product_id: 10000000000001, inventory_size: 1, inventory }];
  });
  const baseUrl = await merchant.listen({ host: '127.0.0.1', port: 0 });
  customer = new Customer({ baseUrl, clientId: 'id', clientSecret: 'secret' });
});

afterEach(() => merchant.close());

describe('the customer', () => {
  it('reserves with one token, renewed once after a 401', async () => {
    const answer = await customer.reserve([{ productId: 10000000000001, quantity: 2, unitPrice: '5.98' }]);
    expect(answer).toEqual({ ok: true, status: 200, body: { reservation_id: 'r', stock: [] } });
    expect(received).toEqual([{ product_id: 10000000000001, quantity: 2, additional_data: { unit_price: '5.98' } }]);
    expect(await customer.release('r')).toEqual({ ok: true, status: 204, body: undefined });
    expect(tokens).toBe(2);
  });

  it('returns a refusal with its code and Retry-After', async () => {
    expect(await customer.order('r')).toEqual({
      ok: false,
      status: 503,
      error: { code: 'paused', message: 'Later.' },
      retryAfterSeconds: 7,
    });
  });

  it('waits until the keys are there, and says what it saw when they do not come', async () => {
    expect(await customer.waitForKeys('o', 1, 5_000)).toEqual([{ id: 'i', value: 'KEY', kind: 'text' }]);
    await expect(customer.waitForKeys('o', 2, 1)).rejects.toThrow('1 of 2 keys');
  });
});
