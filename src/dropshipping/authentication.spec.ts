import {
  BASIC,
  basicHeader,
  CLIENT,
  type MerchantApp,
  merchantApp,
  PREVIOUS_CLIENT,
} from './spec-support/merchant-app.js';

const GRANT = 'grant_type=client_credentials';
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const credentials = ({ id, secret } = CLIENT) => ({ client_id: id, client_secret: secret });
const tokenUrl = (fields: Record<string, string>) => `/oauth/token?${form(fields)}`;

let app: MerchantApp;

beforeEach(async () => {
  app = await merchantApp({ TRUST_PROXY: '1' });
});
afterEach(async () => {
  await app.stop();
});

async function healthcheck(authorization?: string) {
  return app.send({ url: '/healthcheck', headers: authorization === undefined ? {} : { authorization } });
}

describe('The token route', () => {
  const ways = [
    ['GET', () => app.send({ url: tokenUrl({ grant_type: 'client_credentials', ...credentials() }) })],
    [
      'a form',
      () =>
        app.send({
          method: 'POST',
          url: '/oauth/token',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          payload: form({ grant_type: 'client_credentials', ...credentials() }),
        }),
    ],
    [
      'JSON',
      () =>
        app.send({
          method: 'POST',
          url: '/oauth/token',
          payload: { grant_type: 'client_credentials', ...credentials() },
        }),
    ],
    ...[
      ['a Basic header', CLIENT.secret] as const,
      ['a form-encoded Basic header', encodeURIComponent(CLIENT.secret)] as const,
    ].map(
      ([name, secret]) =>
        [
          name,
          () =>
            app.send({
              method: 'POST',
              url: '/oauth/token',
              headers: {
                authorization: basicHeader(CLIENT.id, secret),
                'content-type': 'application/x-www-form-urlencoded',
              },
              payload: GRANT,
            }),
        ] as const,
    ),
    [
      'GET with the previous pair',
      () => app.send({ url: tokenUrl({ grant_type: 'client_credentials', ...credentials(PREVIOUS_CLIENT) }) }),
    ],
  ] as const;

  it.each(ways)('sells a token that opens the other routes, asked by %s', async (_way, ask) => {
    const answer = await ask();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const body = answer.json() as { access_token: string };
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'bearer', expires_in: 3600 });
    expect((await healthcheck(`Bearer ${body.access_token}`)).statusCode).toBe(204);
  });

  it.each([
    ['an unknown id', { ...credentials(), client_id: 'someone' }],
    ['a wrong secret', { ...credentials(), client_secret: 'wrong' }],
    ['no secret', { client_id: CLIENT.id }],
  ])('answers %s alike', async (_case, fields) => {
    const answer = await app.send({ url: tokenUrl({ grant_type: 'client_credentials', ...fields }) });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="keyferry", Basic realm="keyferry", charset="UTF-8"');
    expect(answer.json()).toEqual({
      code: 'unauthorized',
      message: 'a valid access token or client id and secret are needed',
      error: 'invalid_client',
      error_description: 'a valid access token or client id and secret are needed',
    });
  });

  it.each<Record<string, string>>([{}, { grant_type: 'password' }])(
    'refuses the grant %j, even of a right pair',
    async (grant) => {
      const answer = await app.send({ url: tokenUrl({ ...grant, ...credentials() }) });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'unsupported_grant_type', error: 'unsupported_grant_type' });
    },
  );

  it('takes a parameter given twice for none', async () => {
    const url = tokenUrl({ grant_type: 'client_credentials', ...credentials() });
    expect((await app.send({ url: `${url}&client_secret=x` })).statusCode).toBe(401);
    expect((await app.send({ url: `${url}&${GRANT}` })).statusCode).toBe(400);
  });

  it('words the errors of the framework for OAuth2 too', async () => {
    const answer = await app.send({
      method: 'POST',
      url: '/oauth/token?client_secret=x',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'malformed_body', error: 'invalid_request' });
    const wrongMethod = await app.send({ method: 'DELETE', url: '/oauth/token' });
    expect(wrongMethod.json()).toMatchObject({ code: 'method_not_allowed', error: 'invalid_request' });
  });
});

describe('Guessing', () => {
  const guess = (address: string) =>
    app.send({
      url: tokenUrl({ grant_type: 'client_credentials', ...credentials(), client_secret: 'wrong' }),
      headers: { 'x-forwarded-for': address },
    });

  it('is slowed down after ten failures of one address, by whatever way, while a right pair is let in', async () => {
    for (let count = 0; count < 5; count++) {
      expect((await guess('203.0.113.7')).statusCode).toBe(401);
      const authorization = basicHeader(CLIENT.id, 'wrong');
      const headers = { authorization, 'x-forwarded-for': '203.0.113.7' };
      expect((await app.send({ url: '/healthcheck', headers })).statusCode).toBe(401);
    }
    const limited = await guess('203.0.113.7');
    expect(limited.statusCode).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(limited.json()).toMatchObject({ code: 'too_many_failed_attempts', error: 'invalid_client' });

    const headers = { 'x-forwarded-for': '203.0.113.7' };
    const url = tokenUrl({ grant_type: 'client_credentials', ...credentials() });
    expect((await app.send({ url, headers })).statusCode).toBe(200);
    expect((await guess('203.0.113.8')).statusCode).toBe(401);
  });

  it('is not hidden by an address that the client made up in front of the one the proxy saw', async () => {
    for (let count = 0; count < 10; count++) await guess(`198.51.100.${count}, 203.0.113.7`);
    expect((await guess('198.51.100.99, 203.0.113.7')).statusCode).toBe(429);
  });
});

describe('Every merchant route', () => {
  const routes = [
    ['GET', '/healthcheck'],
    ['POST', '/reservation'],
    ['POST', '/order'],
    ['GET', '/order/80201000000192/inventory'],
  ] as const;

  it.each(routes)('%s %s is open to HTTP Basic', async (method, url) => {
    const answer = await app.send({ method, url, headers: { authorization: BASIC } });
    expect([200, 204, 400]).toContain(answer.statusCode);
  });
});

describe('HTTP Basic', () => {
  it('takes a secret that starts with a colon and contains more', async () => {
    expect((await healthcheck(BASIC)).statusCode).toBe(204);
    expect((await healthcheck(basicHeader(PREVIOUS_CLIENT.id, PREVIOUS_CLIENT.secret))).statusCode).toBe(204);
  });

  it.each([
    ['the part of the secret up to its second colon', basicHeader(CLIENT.id, ':secret')],
    ['a secret that goes on', basicHeader(CLIENT.id, `${CLIENT.secret}:`)],
    ['a percent-encoded secret', basicHeader(CLIENT.id, encodeURIComponent(CLIENT.secret))],
    ['no secret', basicHeader(CLIENT.id, '')],
    ['no colon', `Basic ${Buffer.from('g2a').toString('base64')}`],
    ['nothing', 'Basic'],
    ['another scheme', BASIC.replace('Basic', 'Digest')],
    ['a token that is none', 'Bearer kf1.99999999999.abc'],
    ['two schemes', `Bearer x, ${BASIC}`],
  ])('does not take %s', async (_case, authorization) => {
    const answer = await healthcheck(authorization);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({ code: 'unauthorized', message: expect.any(String) });
  });
});
