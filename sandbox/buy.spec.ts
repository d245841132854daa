import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { buy } from './buy.js';

const KEY = { id: 'i', value: 'KEY', kind: 'text' };

/** The least of a merchant: it drops the first two connections that ask for the keys, as one that is started again does. */
let merchant: FastifyInstance;
let looks: number;
let printed: Record<string, unknown>[];
let isSoldOut: boolean;

beforeEach(async () => {
  looks = 0;
  printed = [];
  isSoldOut = false;
  merchant = Fastify({ forceCloseConnections: true });
  merchant.get('/oauth/token', () => ({ access_token: 'token', token_type: 'bearer', expires_in: 3600 }));
  merchant.post('/reservation', (_request, reply) =>
    isSoldOut ? reply.code(409).send({ code: 'sold_out', message: 'None left.' }) : { reservation_id: 'r', stock: [] },
  );
  merchant.post('/order', (_request, reply) => reply.code(202).send({ order_id: 'o', stock: [] }));
  merchant.get('/order/o/inventory', (_request, reply) => {
    looks += 1;
    if (looks > 2) return [{ product_id: 10000000000001, inventory_size: 1, inventory: [KEY] }];
    reply.raw.destroy();
    return reply.hijack();
  });
  await merchant.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => merchant.close());

function buyOne(timeoutSeconds: number): Promise<void> {
  const order = { product: 10000000000001, quantity: 1, timeoutSeconds };
  const client = { url: merchant.listeningOrigin, clientId: 'id', clientSecret: 'secret' };
  return buy({ ...client, ...order }, (line) => printed.push(line));
}

describe('a customer that buys', () => {
  it('tells every step, and keeps asking a merchant that is down for a moment', async () => {
    await buyOne(30);
    expect(printed).toEqual([
      { reserved: 'r' },
      { ordered: 'o', sentAtMs: expect.any(Number), ms: expect.any(Number) },
      { keys: [KEY], ms: expect.any(Number) },
    ]);
  });

  it('gives up with the reason when the keys do not come in time', async () => {
    await expect(buyOne(0)).rejects.toThrow();
    expect(printed.at(-1)).toHaveProperty('ordered');
  });

  it('tells why the merchant refused', async () => {
    isSoldOut = true;
    await expect(buyOne(30)).rejects.toThrow('The merchant refused the reservation: 409 sold_out None left.');
  });
});
