import { connect } from 'node:net';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { OrderExistsError, OrderNotFoundError, ServicePausedError } from '../orders/order-errors.js';
import {
  type Answer,
  BASIC,
  type InMemoryOrders,
  type MerchantApp,
  merchantApp,
  ORDER_ID,
  RESERVATION_ID,
} from './spec-support/merchant-app.js';

const PRODUCT = 10000068865001;

let app: MerchantApp;
let orders: InMemoryOrders;

beforeEach(async () => {
  app = await merchantApp();
  orders = app.orders;
});
afterEach(async () => {
  await app.stop();
  jest.restoreAllMocks();
});

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A call with credentials; a text is sent as it is, with a JSON content type unless told otherwise. */
async function call(method: Method, url: string, payload?: string | object, contentType = 'application/json') {
  const headers = { authorization: BASIC, ...(payload === undefined ? null : { 'content-type': contentType }) };
  return app.send({ method, url, headers, payload });
}

describe('The routes of the contract', () => {
  it('say that we are there', async () => {
    const answer = await call('GET', '/healthcheck');
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
  });

  it('reserve', async () => {
    const answer = await call('POST', '/reservation', [{ product_id: PRODUCT, quantity: 3 }]);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      reservation_id: RESERVATION_ID,
      stock: [{ product_id: PRODUCT, inventory_size: 44 }],
    });
    expect(orders.reserved).toEqual([
      [{ g2aProductId: PRODUCT, quantity: 3, quotedUnitPrice: null, quotedBasePrice: null }],
    ]);
  });

  it('accept an order without keys yet', async () => {
    const answer = await call('POST', '/order', { reservation_id: RESERVATION_ID, g2a_order_id: 80201000000192 });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      order_id: ORDER_ID,
      stock: [{ product_id: PRODUCT, inventory_size: 43, inventory: [] }],
    });
    expect(orders.accepted).toEqual([{ reservationId: RESERVATION_ID, g2aOrderId: 80201000000192 }]);
  });

  it('deliver keys that no cache may keep', async () => {
    const items = [{ id: ORDER_ID, value: 'XXX-YYY', kind: 'text' as const }];
    orders.products = [
      { g2aProductId: PRODUCT, inventorySize: 9, items },
      { g2aProductId: 7, inventorySize: 0, items: [] },
    ];
    const answer = await call('GET', `/order/${ORDER_ID}/inventory`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toEqual([
      { product_id: PRODUCT, inventory_size: 9, inventory: items },
      { product_id: 7, inventory_size: 0, inventory: [] },
    ]);
    expect(orders.askedFor).toEqual([ORDER_ID]);
  });

  it('do not ask for an order that cannot exist', async () => {
    for (const reference of ['x', '1'.repeat(5000), '9007199254740992', '%00', '..%2f']) {
      const answer = await call('GET', `/order/${reference}/inventory`);
      expect([answer.statusCode, answer.json()]).toEqual([404, { code: 'order_not_found', message: 'no such order' }]);
    }
    expect(orders.askedFor).toEqual([]);
  });

  it('take an empty body with a JSON content type for no body', async () => {
    expect((await call('GET', '/healthcheck', '')).statusCode).toBe(204);
    expect((await call('GET', `/order/${ORDER_ID}/inventory`, '')).statusCode).toBe(200);
    expect((await call('POST', '/order', '')).json()).toEqual({
      code: 'invalid_request',
      message: 'the body must be an object',
    });
  });
});

describe('A refusal by the orders module', () => {
  it('keeps its code and status', async () => {
    orders.failure = new OrderNotFoundError();
    const answer = await call('GET', `/order/${ORDER_ID}/inventory`);
    expect([answer.statusCode, answer.json()]).toEqual([404, { code: 'order_not_found', message: 'no such order' }]);
  });

  it('says when to try again', async () => {
    orders.failure = new ServicePausedError();
    const answer = await call('POST', '/reservation', [{ product_id: PRODUCT, quantity: 1 }]);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '300']);
    expect(answer.json()).toEqual({ code: 'service_paused', message: 'selling is paused' });
  });

  it.each([
    [ORDER_ID, { order_id: ORDER_ID }],
    [undefined, {}],
  ])('names the existing order where there is one to name: %s', async (orderId, extra) => {
    orders.failure = new OrderExistsError(orderId);
    const answer = await call('POST', '/order', { reservation_id: RESERVATION_ID, g2a_order_id: 1 });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toEqual({
      code: 'order_exists',
      message: 'an order already exists for this reservation',
      ...extra,
    });
  });
});

describe('Every error has a code and a message', () => {
  const body = '[{"product_id":1,"quantity":1}]';
  const reservation = (payload: string, type?: string) => () => call('POST', '/reservation', payload, type);
  const errors: [string, () => Promise<Answer>, number, string][] = [
    ['an unknown route', () => call('GET', '/nowhere?client_secret=s3cret'), 404, 'route_not_found'],
    ['an empty id', () => call('GET', '/order//inventory'), 404, 'route_not_found'],
    ['a wrong method', () => call('PUT', '/reservation', body), 405, 'method_not_allowed'],
    ['a wrong method with an id', () => call('PUT', '/order/1/inventory'), 405, 'method_not_allowed'],
    ['constructor poisoning', reservation('[{"constructor":{"prototype":{"a":1}}}]'), 400, 'malformed_body'],
    ['XML', reservation('<a/>', 'application/xml'), 415, 'unsupported_media_type'],
    ['a content type that is none', reservation(body, 'json'), 415, 'unsupported_media_type'],
    ['a form', reservation('a=1', 'application/x-www-form-urlencoded'), 400, 'invalid_request'],
    ['a malformed URL', () => call('GET', '/order/%zz/inventory?client_secret=s3cret'), 400, 'invalid_request'],
  ];

  it.each(errors)('for %s', async (_case, ask, status, code) => {
    const answer = await ask();
    expect([answer.statusCode, answer.json()]).toEqual([status, { code, message: expect.any(String) }]);
    expect(answer.body).not.toContain('s3cret');
    expect(answer.headers['content-type']).toContain('application/json');
  });

  it('and a wrong method tells the right ones', async () => {
    expect((await call('PUT', '/reservation')).headers.allow).toBe('POST');
    expect((await call('PUT', '/order/1/inventory')).headers.allow).toBe('DELETE, GET, HEAD');
  });

  it('and a fault of ours tells nothing: neither to the caller, nor the query or its parameters to the log', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    orders.failure = Object.assign(new Error('relation "keys" does not exist'), { parameters: ['XXX-YYY'] });
    const answer = await call('GET', `/order/${ORDER_ID}/inventory?client_secret=s3cret`);
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { code: 'internal_error', message: 'something went wrong on our side' },
    ]);
    expect(log).toHaveBeenCalledTimes(1);
    const logged = JSON.stringify(log.mock.calls);
    expect(logged).toContain('GET /order/:order_id/inventory failed');
    expect(logged).toContain('does not exist');
    expect(logged).not.toMatch(/s3cret|XXX-YYY/);
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', '400 Bad Request', 'malformed_request'],
    ['a header too long', `GET / HTTP/1.1\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, '431 ', 'headers_too_large'],
  ])('for %s', async (_case, request, status, code) => {
    const answer = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(app.port, '127.0.0.1', () => socket.write(request));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => {
        resolve(received);
      });
    });
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ code, message: expect.any(String) });
  });
});
