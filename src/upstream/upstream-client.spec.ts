import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { InProcessRequestBudget } from './request-budget.js';
import { failureOf, LocalUpstream, type Reply } from './spec-support/local-upstream.js';
import { UpstreamClient, type UpstreamClientOptions, type UpstreamRequest } from './upstream-client.js';
import { UpstreamError } from './upstream-error.js';
import type { UpstreamSample } from './upstream-observer.js';
import { isWireObject, readObject, readText } from './wire.js';

const SECRET = 's3cret/with+signs';
const SIGNATURE = 'signature-0815';

const read: UpstreamRequest<unknown> = {
  operation: 'thing',
  method: 'GET',
  path: '/v3/things/{thingId}',
  pathValues: { thingId: 'id-1' },
  query: { filter: 'hidden-query' },
  isSafeToRepeat: true,
  parse: (body) => body,
};
const write: UpstreamRequest<unknown> = {
  operation: 'buy',
  method: 'POST',
  path: '/v3/orders',
  body: { quantity: 1 },
  isSafeToRepeat: false,
  parse: (body) => body,
};

// Long enough for a slow machine where an answer comes, short where none will.
const timeoutFor = (reply: Reply): number => (reply === 'silent' || reply === 'trickle' ? 200 : 10_000);

describe('UpstreamClient', () => {
  let upstream: LocalUpstream;
  let baseUrl: string;
  let samples: UpstreamSample[];
  const clients: UpstreamClient[] = [];

  const connect = (options: Partial<UpstreamClientOptions> = {}): UpstreamClient => {
    const client = new UpstreamClient({
      system: 'cws',
      baseUrl,
      clientId: 'client-id-4711',
      clientSecret: SECRET,
      headers: { 'X-Client-Signature': SIGNATURE },
      timeoutMs: 2_000,
      readRefusal: (body) =>
        isWireObject(body) && typeof body['message'] === 'string'
          ? { code: String(body['code']), message: body['message'] }
          : null,
      observer: (sample) => samples.push(sample),
      ...options,
    });
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    upstream = new LocalUpstream();
    baseUrl = await upstream.start();
    samples = [];
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await upstream.stop();
  });

  it('shares one token among 50 callers at once and sends it with the extra headers', async () => {
    const client = connect();
    await Promise.all(Array.from({ length: 50 }, () => client.request(read)));
    expect(upstream.tokenRequests).toHaveLength(1);
    expect(upstream.received).toHaveLength(50);
    expect(upstream.received[0]!.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'x-client-signature': SIGNATURE,
    });
    const [token] = upstream.tokenRequests;
    expect(token!.headers['x-client-signature']).toBe(SIGNATURE);
    expect(token!.url).toBe('/oauth/token');
    expect(Object.fromEntries(new URLSearchParams(token!.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client-id-4711',
      client_secret: SECRET,
    });
  });

  it('renews the token when its life is over', async () => {
    upstream.answerToken = (issued) => ({
      json: { access_token: `token-${issued}`, expires_in: issued === 1 ? 1 : 60 },
    });
    const client = connect();
    await client.request(read);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await client.request(read);
    expect(upstream.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it.each([read, write])('renews the token once after a 401 and sends $method once more', async (request) => {
    upstream.answer = ({ headers }) =>
      headers.authorization === 'Bearer token-1' ? { status: 401, json: {} } : { json: { ok: true } };
    await expect(connect().request(request)).resolves.toEqual({ ok: true });
    expect(upstream.tokenRequests).toHaveLength(2);
    expect(upstream.received).toHaveLength(2);
  });

  it('stops at the second 401', async () => {
    upstream.answer = () => ({ status: 401, json: { code: 1, message: 'token expired' } });
    const error = await failureOf(connect().request({ ...read, retries: 2 }));
    expect(error).toMatchObject({ kind: 'rejected', status: 401, isRetryable: false });
    expect(upstream.received).toHaveLength(2);
    expect(upstream.tokenRequests).toHaveLength(2);
  });

  it('renews a token once for many calls that met a 401 together', async () => {
    upstream.answer = ({ headers }) => (headers.authorization === 'Bearer token-1' ? { status: 401 } : { json: {} });
    const client = connect();
    await Promise.all(Array.from({ length: 20 }, () => client.request(read)));
    expect(upstream.tokenRequests).toHaveLength(2);
  });

  it('sends calls one after another over one connection', async () => {
    const client = connect();
    await client.request(read);
    await client.request(write);
    const ports = [...upstream.tokenRequests, ...upstream.received].map(({ clientPort }) => clientPort);
    expect(ports).toHaveLength(3);
    expect(new Set(ports).size).toBe(1);
  });

  it.each<[string, Reply, object]>([
    ['a 500', { status: 500, json: {} }, { kind: 'retry', status: 500 }],
    ['a 502 of a proxy', { status: 502, text: '<html>' }, { kind: 'retry', status: 502 }],
    ['a 408', { status: 408, json: {} }, { kind: 'retry', status: 408 }],
    ['a reset', 'reset', { kind: 'retry', status: undefined }],
    ['silence', 'silent', { kind: 'retry', status: undefined }],
    ['a body that never ends', 'trickle', { kind: 'retry', status: undefined }],
    ['a refusal', { status: 403, json: { code: 7, message: 'no' } }, { kind: 'rejected', upstreamCode: '7' }],
    ['a 403 in foreign words', { status: 403, text: '<html>' }, { kind: 'unknown', status: 403 }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, { kind: 'unknown', status: 302 }],
    ['a body that is not JSON', { text: '<html>' }, { kind: 'unknown', status: 200 }],
    ['a 208', { status: 208, json: {} }, { kind: 'unknown', status: 208 }],
    ['a 429', { status: 429, headers: { 'retry-after': '7' } }, { kind: 'retry_after', retryAfterSeconds: 7 }],
    ['a 429 without a time', { status: 429 }, { kind: 'retry_after', retryAfterSeconds: 5 }],
  ])('classifies %s to a read', async (_, reply, expected) => {
    upstream.answer = () => reply;
    const error = await failureOf(connect({ timeoutMs: timeoutFor(reply) }).request(read));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject(expected);
    expect(upstream.received).toHaveLength(1);
  });

  it.each<[string, Reply, object]>([
    ['a 500', { status: 500, json: { code: 90001, message: 'theirs' } }, { kind: 'unknown', status: 500 }],
    ['a 403', { status: 403, json: { code: 7, message: 'no' } }, { kind: 'unknown', status: 403 }],
    ['a 408', { status: 408, json: {} }, { kind: 'unknown', status: 408 }],
    ['a 409', { status: 409, json: { code: 7, message: 'no' } }, { kind: 'unknown', status: 409 }],
    ['a 208', { status: 208, json: {} }, { kind: 'unknown', status: 208 }],
    ['a 400 in foreign words', { status: 400, text: '<html>' }, { kind: 'unknown', status: 400 }],
    ['a 400', { status: 400, json: { code: 7, message: 'no' } }, { kind: 'rejected', upstreamCode: '7' }],
    ['a 404', { status: 404, json: { code: 7, message: 'no' } }, { kind: 'rejected', upstreamCode: '7' }],
    ['a 429', { status: 429, headers: { 'retry-after': '7' } }, { kind: 'retry_after', retryAfterSeconds: 7 }],
    ['a reset', 'reset', { kind: 'unknown', isSocketReset: false }],
    ['silence', 'silent', { kind: 'unknown', isSocketReset: true }],
    ['a body that never ends', 'trickle', { kind: 'unknown', isSocketReset: true }],
    ['a body that is not JSON', { text: '<html>' }, { kind: 'unknown', status: 200 }],
  ])('classifies %s to an unsafe write and sends it once', async (_, reply, expected) => {
    upstream.answer = () => reply;
    const error = await failureOf(connect({ timeoutMs: timeoutFor(reply) }).request({ ...write, retries: 2 }));
    expect(error).toMatchObject(expected);
    expect(upstream.received).toHaveLength(1);
  });

  it('knows that nothing was sent when the connection is refused', async () => {
    const client = connect();
    await client.request(read);
    client.close();
    await upstream.stop();
    const error = await failureOf(client.request(write));
    expect(error).toMatchObject({ kind: 'retry', message: 'cws POST /v3/orders: ECONNREFUSED' });
    await upstream.start();
  });

  it('knows that nothing was sent when the name does not resolve', async () => {
    const client = connect({ baseUrl: 'http://no-such-host.invalid' });
    expect(await failureOf(client.request(write))).toMatchObject({ kind: 'retry', status: undefined });
  });

  it('takes a token that cannot be had for a call that was not sent, whatever the token route said', async () => {
    upstream.answerToken = () => ({ status: 400, json: { code: 1, message: 'bad credentials' } });
    const error = await failureOf(connect().request({ ...write, retries: 2 }));
    expect(error).toMatchObject({ kind: 'retry', status: 400 });
    expect(String(error)).toContain('POST /oauth/token');
    expect(upstream.tokenRequests).toHaveLength(1);
    expect(upstream.received).toHaveLength(0);
  });

  it.each([{ expires_in: 60 }, { access_token: 'x' }, { access_token: 'x', expires_in: 'soon' }])(
    'does not guess a token from %p',
    async (json) => {
      upstream.answerToken = () => ({ json });
      expect(String(await failureOf(connect().request(read)))).toContain('answer not understood');
    },
  );

  it('repeats a safe call as often as asked, and only after a passing failure', async () => {
    upstream.answer = () => (upstream.received.length < 3 ? { status: 503 } : { json: { ok: true } });
    await expect(connect().request({ ...read, retries: 2 })).resolves.toEqual({ ok: true });
    expect(upstream.received).toHaveLength(3);
  });

  it('names the field of an answer that it does not understand', async () => {
    upstream.answer = () => ({ json: { name: 42 } });
    const parse = (body: unknown): string => readText(readObject(body, 'body')['name'], 'name');
    const error = await failureOf(connect().request({ ...read, parse }));
    expect(error).toMatchObject({ kind: 'unknown', status: 200 });
    expect(String(error)).toContain('GET /v3/things/{thingId}: HTTP 200, answer not understood: name is not a text');
  });

  it('finds nothing only where the upstream itself says 404', async () => {
    upstream.answer = () => ({ status: 404, json: { code: 20001, message: 'gone' } });
    await expect(connect().find(read)).resolves.toBeNull();
    upstream.answer = () => ({ status: 404, text: 'no route' });
    await expect(connect().find(read)).rejects.toMatchObject({ kind: 'unknown', status: 404 });
  });

  it('refuses an answer that is too large', async () => {
    upstream.answer = () => ({ text: `"${'x'.repeat(17 * 1024 * 1024)}"` });
    expect(await failureOf(connect({ timeoutMs: 10_000 }).request(read))).toMatchObject({ kind: 'unknown' });
  });

  it.each(['', '.', '..'])('does not send an id "%s" that would name another route', async (thingId) => {
    await expect(connect().request({ ...read, pathValues: { thingId } })).rejects.toThrow(RangeError);
    expect(upstream.received).toHaveLength(0);
  });

  it('encodes ids', async () => {
    await connect().request({ ...read, pathValues: { thingId: 'a/b?c' } });
    expect(upstream.received[0]!.path).toBe('/v3/things/a%2Fb%3Fc');
  });

  it('takes room from the budget for each request and pauses it after a 429', async () => {
    const budget = new InProcessRequestBudget('cws', 'test', { requests: 2, windowSeconds: 60 });
    upstream.answer = () => ({ status: 429, headers: { 'retry-after': '30' } });
    const client = connect();
    expect(await failureOf(client.request({ ...read, budget }))).toMatchObject({ status: 429 });
    const error = await failureOf(client.request({ ...read, budget, maxWaitMs: 1_000 }));
    expect(error).toMatchObject({ kind: 'retry_after', status: undefined, retryAfterSeconds: 30 });
    expect(upstream.received).toHaveLength(1);
  });

  it('calls beforeSend last, and sends nothing when it throws', async () => {
    const stop = new Error('too late');
    const receivedBefore: number[] = [];
    const client = connect();
    await client.request({ ...write, beforeSend: () => receivedBefore.push(upstream.received.length) });
    // The second one travels over the connection that the first one left open.
    for (const attempt of [client, connect()]) {
      const failing = attempt.request({
        ...write,
        beforeSend: () => {
          throw stop;
        },
      });
      expect(await failureOf(failing)).toBe(stop);
    }
    await client.request(read);
    expect(receivedBefore).toEqual([0]);
    expect(upstream.received.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(samples.filter(({ outcome }) => outcome === 'stopped')).toHaveLength(2);
  });

  it('calls beforeSend again before the re-send after a 401', async () => {
    upstream.answer = ({ headers }) => (headers.authorization === 'Bearer token-1' ? { status: 401 } : { json: {} });
    let calls = 0;
    const stop = new Error('too late');
    const beforeSend = (): void => {
      calls += 1;
      if (calls === 2) throw stop;
    };
    expect(await failureOf(connect().request({ ...write, beforeSend }))).toBe(stop);
    expect(upstream.received).toHaveLength(1);
  });

  it('tells the observer of every exchange', async () => {
    upstream.answer = () => ({ status: 500 });
    await failureOf(connect().request(write));
    expect(samples.map(({ system, operation, outcome }) => [system, operation, outcome])).toEqual([
      ['cws', 'token', 'ok'],
      ['cws', 'buy', 'unknown'],
    ]);
  });

  it('shows no secret, query string or body in an error, even when the upstream echoes them', async () => {
    const echo = [SECRET, encodeURIComponent(SECRET), SIGNATURE, 'client-id-4711', 'token-1'].join(' ');
    upstream.answer = () => ({ status: 400, json: { code: SECRET, message: `${echo} ${'x'.repeat(500)}` } });
    const refused = await failureOf(connect().request(read));
    upstream.answer = () => 'reset';
    const reset = await failureOf(connect().request({ ...write, body: { key: 'body-content' } }));
    for (const error of [refused, reset]) {
      const seen = `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)} ${String(error)}`;
      for (const hidden of [
        SECRET,
        encodeURIComponent(SECRET),
        SIGNATURE,
        'client-id-4711',
        'token-1',
        'hidden-query',
        'body-content',
        baseUrl,
      ]) {
        expect(seen).not.toContain(hidden);
      }
    }
    expect((refused as Error).message.length).toBeLessThan(350);
  });

  it('goes past a proxy that the environment names', async () => {
    // The environment is what this test is about.
    // eslint-disable-next-line no-restricted-properties
    const environment = process.env;
    environment['http_proxy'] = 'http://127.0.0.1:1';
    try {
      await expect(connect().request(read)).resolves.toEqual({});
    } finally {
      delete environment['http_proxy'];
    }
  });
});

describe('a write given up on', () => {
  it.each(['http', 'https'] as const)('is stopped with a TCP reset over %s', async (scheme) => {
    const psk = Buffer.from('a key that both sides know');
    const tlsOptions = { ciphers: 'PSK', maxVersion: 'TLSv1.2' as const };
    let ended: (code: unknown) => void = () => undefined;
    const end = new Promise((resolve) => (ended = resolve));
    const isTls = scheme === 'https';
    const sockets: Socket[] = [];
    const onToken = (path: string | undefined): string | null =>
      path === '/oauth/token' ? JSON.stringify({ access_token: 't', expires_in: 60 }) : null;
    const server: Server = isTls
      ? createTlsServer({ ...tlsOptions, pskCallback: () => psk }, (request, response) => {
          const token = onToken(request.url);
          if (token !== null) response.end(token);
        })
      : createServer((socket) => {
          socket.on('data', (data) => {
            const token = onToken(data.toString('utf8').split(' ')[1]);
            if (token !== null) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${token.length}\r\n\r\n${token}`);
          });
        });
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      sockets.push(socket);
      socket.on('error', (error) => {
        ended('code' in error ? error.code : error);
      });
      socket.on('close', () => {
        ended('closed');
      });
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new UpstreamClient({
      system: 'cws',
      baseUrl: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
      clientId: 'id',
      clientSecret: 'secret',
      readRefusal: () => null,
      timeoutMs: 300,
      tls: {
        ...tlsOptions,
        pskCallback: () => ({ psk, identity: 'keyferry' }),
        checkServerIdentity: () => undefined,
      },
    });
    try {
      const error = await failureOf(client.request(write));
      expect(error).toMatchObject({ kind: 'unknown', isSocketReset: true });
      expect(await end).toBe('ECONNRESET');
    } finally {
      client.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
