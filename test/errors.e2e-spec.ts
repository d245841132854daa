import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import { g2aProductId } from '../sandbox/catalog.js';
import { committedDocument } from './support/answer-validation.js';
import { type Keyferry, mapGames, OUR_CLIENT, startKeyferry } from './support/keyferry.js';

const UNKNOWN_ID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02';
const PRODUCT = g2aProductId(1);
/** 2^53 + 1, which JSON.parse turns into 2^53. */
const INEXACT_ID = '9007199254740993';

let keyferry: Keyferry;
let printed: string;
let token: string;

beforeAll(async () => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed += String(chunk);
      return true;
    });
  }
  process.env.KEYFERRY_TEST_LOG = '1';
  keyferry = await startKeyferry();
  await mapGames(keyferry, [1]);
  await keyferry.sync();
  token = await keyferry.customer.token();
});
afterAll(async () => {
  delete process.env.KEYFERRY_TEST_LOG;
  await keyferry.stop();
  jest.restoreAllMocks();
});

interface Answer {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly body: string;
  readonly error: { code: string; message: string } | undefined;
}

/** Sends exactly this path and these bytes; JSON unless told otherwise. */
async function call(method: string, path: string, body?: string, contentType = 'application/json'): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body ?? ''),
  };
  const sending = request(keyferry.url, { method, path, headers, agent: false });
  sending.end(body);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  const received = await text(answer);
  const isError = (answer.statusCode ?? 0) >= 400 && method !== 'HEAD';
  return {
    status: answer.statusCode,
    allow: answer.headers.allow,
    body: received,
    error: isError ? JSON.parse(received) : undefined,
  };
}

const reserve = (body: string, contentType?: string) => call('POST', '/reservation', body, contentType);
const order = (reservationId: string, g2aOrderId: string) =>
  call('POST', '/order', `{"reservation_id":"${reservationId}","g2a_order_id":${g2aOrderId}}`);
const message = (part: string): unknown => expect.stringContaining(part);

describe('the application refuses', () => {
  it.each<[string, () => Promise<Answer>, number, string]>([
    ['an unknown path', () => call('GET', '/nowhere'), 404, 'route_not_found'],
    ['a body on an unknown path', () => call('POST', '/nowhere', '[{'), 400, 'malformed_body'],
    ['the other such key', () => reserve(`[{"constructor":{"prototype":{}}}]`), 400, 'malformed_body'],
    ['another type than JSON', () => reserve('<a/>', 'application/xml'), 415, 'unsupported_media_type'],
    ['a URL that cannot be read', () => call('GET', '/order/%zz/inventory'), 400, 'invalid_request'],
  ])('%s', async (_case, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, answer.error]).toEqual([status, { code, message: expect.any(String) }]);
  });

  it.each([
    ['PATCH', '/order'],
    ['POST', '/healthcheck'],
    ['PUT', '/oauth/token'],
    ['PATCH', `/order/${UNKNOWN_ID}/inventory`],
  ])('a method that the path does not have, and says which it has: %s %s', async (method, path) => {
    const answer = await call(method, path);
    expect([answer.status, answer.error?.code]).toEqual([405, 'method_not_allowed']);
    const allowed = answer.allow!.split(', ');
    expect(allowed).not.toContain(method);
    for (const other of allowed) expect((await call(other, path)).status).not.toBe(405);
  });

  it.each([INEXACT_ID, `"${INEXACT_ID}"`, '1e400', '"1e3"'])('the id %s, which no number holds exactly', async (id) => {
    expect(await reserve(`[{"product_id":${id},"quantity":1}]`)).toMatchObject({
      status: 400,
      error: { code: 'invalid_request', message: message('0.product_id must be a whole number') },
    });
    expect(await order(UNKNOWN_ID, id)).toMatchObject({
      status: 400,
      error: { code: 'invalid_request', message: message('g2a_order_id must be a whole number') },
    });
  });
});

describe('the application accepts', () => {
  it('fields that it does not know', async () => {
    const answer = await reserve(
      `[{"product_id":${PRODUCT},"quantity":1,"gift":true,"additional_data":{"mood":"good","toString":1}}]`,
    );
    expect(answer.status).toBe(200);
  });

  it.each([
    ['GET', `/order/${UNKNOWN_ID}/inventory`, 404],
    ['DELETE', `/order/${UNKNOWN_ID}/inventory?id[]=${UNKNOWN_ID}`, 404],
  ])('an empty body with a JSON content type: %s %s', async (method, path, status) => {
    expect((await call(method, path)).status).toBe(status);
  });
});

describe('the error codes in docs/contract.md', () => {
  const root = resolve(import.meta.dirname, '..');
  const rows = readFileSync(join(root, 'docs/contract.md'), 'utf8').matchAll(/^\| (`[a-z0-9_` ]+`) \| ([\d ]+) \|/gm);
  const documented = new Map(
    [...rows].flatMap(([, codes, statuses]) => codes!.match(/\w+/g)!.map((code) => [code, statuses!] as const)),
  );

  it('are all that the program has', () => {
    // How a code is written in src: `code = '…'`, `code: '…'`, or beside its status.
    const written =
      /(?:\bcode(?: =|:)|HttpStatus\.\w+,|\[HttpStatus\.\w+\]:|statusCode,|\['\d{3} [\w ]+',)\s*'([a-z0-9_]+)'/g;
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !/^(cli|demo)\//.test(file),
    );
    const codes = files.flatMap((file) =>
      [...readFileSync(join(root, 'src', file), 'utf8').matchAll(written)].map(([, code]) => code!),
    );
    expect([...documented.keys()].sort()).toEqual([...new Set(codes)].sort());
  });

  it('include those of the OpenAPI document, with their status', () => {
    const responses = Object.values(committedDocument().paths).flatMap((item) =>
      Object.values(item).flatMap((operation: { responses: object }) => Object.entries(operation.responses)),
    );
    const codes = responses.flatMap(([status, response]) =>
      [...JSON.stringify(response).matchAll(/"code":\{"enum":\[([^\]]*)\]/g)].flatMap(([, list]) =>
        list!.match(/\w+/g)!.map((code) => ({ code, status })),
      ),
    );
    expect(codes.length).toBeGreaterThan(50);
    for (const { code, status } of codes) expect({ code, status: documented.get(code) }).toEqual({ code, status });
  });
});

describe('what Node would answer by itself', () => {
  it.each([
    ['without a Host', ''],
    ['with an expectation that nobody knows', 'Host: keyferry\r\nExpect: a-miracle\r\n'],
  ])('is answered in our shape: a request %s', async (_case, headers) => {
    const { hostname, port } = new URL(keyferry.url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /order/${UNKNOWN_ID}/inventory HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('"code":"unauthorized"');
  });
});

describe('a fault of ours', () => {
  it('tells the caller nothing, and the log what happened but not what was asked', async () => {
    await keyferry.sql('ALTER TABLE order_items RENAME TO order_items_elsewhere');
    let answer: Answer;
    try {
      answer = await call('GET', `/order/${UNKNOWN_ID}/inventory?client_secret=${OUR_CLIENT.clientSecret}`);
    } finally {
      await keyferry.sql('ALTER TABLE order_items_elsewhere RENAME TO order_items');
    }
    expect([answer.status, answer.error]).toEqual([
      500,
      { code: 'internal_error', message: 'something went wrong on our side' },
    ]);
    expect(printed).toContain('GET /order/:order_id/inventory failed');
    expect(printed).toContain('relation "order_items" does not exist');
    expect(printed).not.toContain(OUR_CLIENT.clientSecret);
    expect((await call('GET', `/order/${UNKNOWN_ID}/inventory`)).status).toBe(404);
  });
});
