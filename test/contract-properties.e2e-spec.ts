import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { nextG2aOrderId } from '../sandbox/customer.js';
import { answerCheck, committedDocument, type GivenAnswer } from './support/answer-validation.js';
import { type Keyferry, mapGames, OUR_CLIENT, startKeyferry } from './support/keyferry.js';

/** The same runs every time; fast-check prints it with the counterexample. */
const SEED = 20251123;
const RUNS_PER_ROUTE = 80;

/** What no rejected call may change. */
const TABLES = [
  'product_mappings',
  'product_mapping_suppliers',
  'reservations',
  'reservation_items',
  'stock_holds',
  'orders',
  'order_items',
  'purchases',
  'keys',
];

/** Ids that exist, so that calls get past the first check; filled in before the properties run. */
const known = { ordered: '', g2aOrder: '', order: '', key: '', live: '' };
/** Stands for one of `known` in what is generated, because it is generated before they are known. */
const placeholder = (name: keyof typeof known) => `<${name}>`;
const fillIn = (template: string): string =>
  template.replaceAll(/<(\w+)>/g, (whole, name: string) => (name in known ? known[name as keyof typeof known] : whole));

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string | null;
  readonly contentType: string | null;
  readonly body: string | Uint8Array | null;
}

const HOSTILE_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e2',
  '1e400',
  '-1e400',
  '9007199254740991',
  '9007199254740993',
  '9'.repeat(400),
];
const HOSTILE_STRINGS = [
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"9007199254740993"',
  '"1e3"',
  '"__proto__"',
  '"\';--"',
  '"<ordered>"',
  '"<order>"',
  '"<key>"',
];
const FIELDS = [
  'product_id',
  'quantity',
  'additional_data',
  'unit_price',
  'reservation_id',
  'g2a_order_id',
  'notification_type',
  'date',
  'data',
  'message',
  'auction_id',
  'offer_id',
  'grant_type',
  'client_id',
  'client_secret',
];
const HOSTILE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'length', '0', ''];

/** JSON as text, because JSON.stringify cannot write one key twice, numbers beyond double, or lone surrogates. */
const { value: jsonText } = fc.letrec<{ value: string; scalar: string; array: string; object: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, tie('scalar'), tie('array'), tie('object')),
  scalar: fc.oneof(
    fc.constantFrom('null', 'true', 'false', String(g2aProductId(1)), ...HOSTILE_NUMBERS, ...HOSTILE_STRINGS),
    fc.string({ unit: 'binary' }).map((string) => JSON.stringify(string)),
    fc
      .double()
      .map(String)
      .filter((number) => !/[NI]/.test(number)),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  object: fc
    .array(fc.tuple(fc.constantFrom(...FIELDS, ...HOSTILE_KEYS), tie('value')), { maxLength: 6 })
    .map((fields) => `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
}));

/** A value for a field: the right one as a rule, so that often only one field is wrong. */
function mostly(...right: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...right) }, jsonText);
}

const reservationText = fc
  .array(
    fc
      .tuple(
        mostly(String(g2aProductId(1)), `"${g2aProductId(1)}"`, String(g2aProductId(40))),
        mostly('1', '9999'),
        jsonText,
      )
      .map(([product, quantity, data]) => `{"product_id":${product},"quantity":${quantity},"additional_data":${data}}`),
    { maxLength: 3 },
  )
  .map((items) => `[${items.join(',')}]`);

// A live reservation comes with wrong ids alone: an order that is accepted would go on changing tables by itself.
const orderText = fc
  .oneof(
    fc.tuple(mostly('"<ordered>"', '"3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02"'), mostly('<g2aOrder>', '80201000000192')),
    fc.tuple(
      fc.constant('"<live>"'),
      jsonText.filter((json) => !isG2aId(JSON.parse(json))),
    ),
  )
  .map(([reservation, id]) => `{"reservation_id":${reservation},"g2a_order_id":${id}}`);

const notificationText = fc
  .tuple(mostly('"auction_deactivated"', '"something_new"'), mostly('"2017-07-21T17:32:28Z"'), jsonText)
  .map(([type, date, data]) => `[{"notification_type":${type},"date":${date},"data":${data}}]`);

const tokenText = fc
  .tuple(mostly('"client_credentials"'), mostly(`"${OUR_CLIENT.clientId}"`), mostly(`"${OUR_CLIENT.clientSecret}"`))
  .map(([type, id, secret]) => `{"grant_type":${type},"client_id":${id},"client_secret":${secret}}`);

/** What a route may well accept; the others read no body. */
const ALMOST_RIGHT: Readonly<Record<string, fc.Arbitrary<string>>> = {
  '/oauth/token': tokenText,
  '/reservation': reservationText,
  '/order': orderText,
  '/notifications': notificationText,
};

const wrongBody: fc.Arbitrary<Call['body']> = fc.oneof(
  { weight: 3, arbitrary: jsonText },
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 1, max: 30_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 8_000 }).map((depth) => '{"data":'.repeat(depth) + '1' + '}'.repeat(depth)),
  fc.constantFrom(null, '', '[{"product_id":', `[${'{},'.repeat(100)}{}]`, JSON.stringify('x'.repeat(70_000))),
);

const contentType = fc.oneof(
  { weight: 5, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    null,
    '',
    '*/*',
    'text/plain',
    'APPLICATION/JSON; charset=utf-16',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json, application/json',
  ),
  fc.string({ maxLength: 20 }),
);

const authorization = fc.oneof(
  { weight: 8, arbitrary: fc.constant('<token>') },
  fc.constantFrom(null, 'Bearer x', 'Basic eDp5', 'Basic %%%', 'Bearer'),
  fc.string({ maxLength: 20 }),
);

const id = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...Object.keys(known).map((name) => placeholder(name as keyof typeof known))),
  },
  fc.string({ unit: 'grapheme' }).map(encodeURIComponent),
  fc.uuid(),
  fc.bigInt({ min: 0n, max: 2n ** 80n }).map(String),
  fc.constantFrom('%00', '%ff', '..%2f', '%2e%2e', '9007199254740993', '1e3', '-1', '__proto__', 'x'.repeat(5_000)),
);

const parameter = fc.tuple(
  fc.constantFrom(
    'id[]',
    'id',
    'id[0]',
    '__proto__',
    '__proto__[id]',
    'grant_type',
    'client_id',
    'client_secret',
    'constructor',
    '',
  ),
  fc.oneof(id, fc.constant('client_credentials'), fc.constant(OUR_CLIENT.clientId)),
);
const query = fc.oneof(
  fc.constantFrom(
    '',
    '?id[]=<key>',
    `?grant_type=client_credentials&client_id=${OUR_CLIENT.clientId}&client_secret=${OUR_CLIENT.clientSecret}`,
  ),
  fc
    .array(parameter, { maxLength: 5 })
    .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
  fc.constant(`?${'id[]=x&'.repeat(1_000)}`),
);

function calls(method: string, route: string): fc.Arbitrary<Call> {
  const parts = route.split(/\{\w+\}/);
  const path = fc
    .tuple(...parts.slice(1).map(() => id))
    .map((ids) => parts.reduce((before, after, index) => before + (ids[index - 1] ?? '') + after));
  const almostRight = ALMOST_RIGHT[route];
  const body = almostRight === undefined ? wrongBody : fc.oneof({ weight: 2, arbitrary: almostRight }, wrongBody);
  return fc.record({ method: fc.constant(method), path, query, authorization, contentType, body });
}

const operations = Object.entries(committedDocument().paths).flatMap(([route, item]) =>
  Object.keys(item).map((method) => [method.toUpperCase(), route] as const),
);

describe('arbitrary calls', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const check = answerCheck();
  let keyferry: Keyferry;
  let token: string;
  let before: unknown;

  beforeAll(async () => {
    keyferry = await startKeyferry();
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 200 });
    await mapGames(keyferry, [1]);
    await keyferry.sync();
    token = await keyferry.customer.token();

    known.ordered = await reserve();
    const g2aOrderId = nextG2aOrderId();
    const order = await keyferry.customer.order(known.ordered, g2aOrderId);
    if (!order.ok) throw new Error('not accepted');
    known.g2aOrder = String(g2aOrderId);
    known.order = order.body.order_id;
    known.key = (await keyferry.customer.waitForKeys(known.order, 1, 20_000))[0]!.id;
    known.live = await reserve();
    before = await snapshot();
  });
  // Also throws for every answer that is not in the document exactly.
  afterAll(async () => {
    agent.destroy();
    await keyferry.stop();
  });

  async function reserve(): Promise<string> {
    const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(1), quantity: 1 }]);
    if (!reservation.ok) throw new Error('not reserved');
    return reservation.body.reservation_id;
  }

  /** One digest per table. */
  async function snapshot(): Promise<unknown> {
    const digest = (table: string) =>
      `(SELECT md5(string_agg(line::text, '|' ORDER BY line::text)) FROM ${table} line) AS ${table}`;
    const [row] = await keyferry.sql(`SELECT ${TABLES.map(digest).join(', ')}`);
    return row;
  }

  function send(call: Call): Promise<Omit<GivenAnswer, 'route'>> {
    const headers: OutgoingHttpHeaders = {};
    if (call.authorization !== null) headers.authorization = call.authorization.replace('<token>', `Bearer ${token}`);
    if (call.contentType !== null) headers['content-type'] = call.contentType;
    const payload = typeof call.body === 'string' ? Buffer.from(fillIn(call.body)) : call.body;
    if (payload !== null) headers['content-length'] = payload.length;
    const { method } = call;
    return new Promise((resolve, reject) => {
      const options = { agent, method, headers, path: fillIn(call.path + call.query) };
      const sending = request(keyferry.url, options, (answer) => {
        text(answer).then((body) => {
          resolve({ method, status: answer.statusCode ?? 0, headers: answer.headers, body });
        }, reject);
      });
      sending.on('error', reject);
      sending.end(payload);
    });
  }

  async function holdsFor(call: Call, route: string): Promise<void> {
    const answer = await send(call);
    expect(answer.status).toBeLessThan(500);
    // Whether such a path is this route's at all, the router decided; the validation in keyferry.stop() knows.
    const problems = [route, null].map((candidate) => check({ ...answer, route: candidate }));
    expect(problems).toContain(undefined);
    const after = await snapshot();
    if (answer.status >= 400) expect(after).toEqual(before);
    before = after;
  }

  it.each(operations)('are answered as documented, and change nothing when refused: %s %s', async (method, route) => {
    await fc.assert(
      fc.asyncProperty(calls(method, route), (call) => holdsFor(call, route)),
      { seed: SEED, numRuns: RUNS_PER_ROUTE },
    );
  });

  it('are refused with code and message on paths and methods that do not exist', async () => {
    const segment = fc.oneof(
      fc.constantFrom('order', 'reservation', 'inventory', 'account', 'oauth', '', '.', '..'),
      id,
    );
    const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}/nowhere`);
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE');
    await fc.assert(
      fc.asyncProperty(fc.record({ method, path, query, authorization, contentType, body: wrongBody }), (call) =>
        holdsFor(call, ''),
      ),
      { seed: SEED, numRuns: RUNS_PER_ROUTE },
    );
  });
});

function isG2aId(value: unknown): boolean {
  const number = typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) > 0;
}
