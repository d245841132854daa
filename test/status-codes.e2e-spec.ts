import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SwaggerModule } from '@nestjs/swagger';
import { MerchantAuthGuard } from '../src/dropshipping/auth/merchant-auth.guard.js';
import { openApiDocument } from '../src/dropshipping/openapi/document.js';
import { OTHER_ROUTES } from './support/answer-validation.js';
import { account } from './status-codes/account.table.js';
import { file } from './status-codes/file.table.js';
import { healthcheck } from './status-codes/healthcheck.table.js';
import { inventory } from './status-codes/inventory.table.js';
import { notifications } from './status-codes/notifications.table.js';
import { order } from './status-codes/order.table.js';
import { release } from './status-codes/release.table.js';
import { renewal } from './status-codes/renewal.table.js';
import { reservation } from './status-codes/reservation.table.js';
import { returns } from './status-codes/returns.table.js';
import type { StatusRow } from './status-codes/status-table.js';
import { getToken, postToken } from './status-codes/token.table.js';
import { UNKNOWN_ID, World } from './status-codes/world.js';

const TABLES = [
  getToken,
  postToken,
  healthcheck,
  reservation,
  renewal,
  release,
  order,
  inventory,
  returns,
  file,
  account,
  notifications,
];

let world: World;
/** Sends half a body at the start: the server gives up after 10 s, which the other tests make use of. */
let halfRequest: Socket;
let answerToHalf: Promise<string>;

beforeAll(async () => {
  world = await World.open();
  const { hostname, port } = new URL(world.keyferry.url);
  halfRequest = connect(Number(port), hostname);
  answerToHalf = text(halfRequest);
  halfRequest.write(
    'POST /reservation HTTP/1.1\r\nHost: keyferry\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[{',
  );
});
afterAll(async () => {
  halfRequest.destroy();
  await world.keyferry.stop();
});
afterEach(() => world.endRow());

const named = (rows: readonly StatusRow[]) =>
  rows.map((row) => [`${row.status}${row.code === null ? '' : ` ${row.code}`}: ${row.title}`, row] as const);

describe.each(TABLES.map(({ route, rows }) => [route, rows] as const))('%s', (_route, rows) => {
  it.each(named(rows))('answers %s', async (_title, row) => {
    const ask = await row.request(world);
    const before = await world.digests();
    const answer = await world.send(ask);
    const after = await world.digests();

    const body = await answer.text();
    expect([answer.status, body]).toEqual([row.status, expect.any(String)]);
    if (row.code !== null) {
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(JSON.parse(body)).toEqual({
        code: row.code,
        message: expect.stringMatching(/./),
        ...row.extra?.(world),
      });
    }
    expect(answer.headers.get('www-authenticate')).toEqual(
      row.status === 401 ? expect.stringMatching(/^Bearer .*, Basic /) : null,
    );
    const retryAfter = answer.headers.get('retry-after');
    if (row.retryAfterSeconds === 'some') expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    else expect(retryAfter).toBe(row.retryAfterSeconds === undefined ? null : String(row.retryAfterSeconds));

    const changed = row.unchanged.filter((table) => after[table] !== before[table]);
    expect(changed).toEqual([]);
  });
});

describe('the tables', () => {
  /** Documented for what the framework may refuse; nothing that a caller can send brings them about. */
  const UNREACHABLE = [
    'POST /oauth/token',
    'PUT /reservation/{reservation_id}',
    'DELETE /reservation/{reservation_id}',
  ];

  it('have a row for every answer of the OpenAPI document but a fault of ours', () => {
    const documented = Object.entries(openApiDocument.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]: [string, { responses: object }]) =>
        Object.entries(operation.responses).flatMap(([status, response]) => {
          const [, codes] = /"code":\{"enum":\[([^\]]*)\]/.exec(JSON.stringify(response)) ?? [];
          const route = `${method.toUpperCase()} ${path}`;
          return (codes?.match(/\w+/g) ?? ['success']).map((code) => `${route} ${status} ${code}`);
        }),
      ),
    );
    const walked = TABLES.flatMap(({ route, rows }) =>
      rows.map(({ status, code }) => `${route} ${status} ${code ?? 'success'}`),
    );
    const expected = documented.filter(
      (answer) =>
        !answer.endsWith(' 500 internal_error') &&
        !UNREACHABLE.some((route) => answer === `${route} 400 invalid_request`) &&
        answer !== `${account.route} 200 success`,
    );
    expect([...new Set(walked)].sort()).toEqual(expected.sort());
  });
});

/** What Nest itself says that its controllers serve; nothing of it was written by us, so a new route is in it. */
const servedPaths = () =>
  SwaggerModule.createDocument(world.keyferry.app, { openapi: '3.1.0', info: { title: '', version: '' } }).paths;
const routesOf = (paths: object): string[] =>
  Object.entries(paths)
    .flatMap(([path, item]: [string, object]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
/** Open to everyone: the platform that runs us asks. /metrics is closed in production alone. */
const OPEN_ROUTES = ['GET /livez', 'GET /readyz', 'GET /metrics'];
/** They look at credentials themselves: the token route is where one logs in, and has other ways to do so. */
const UNGUARDED_CONTROLLERS = ['HealthController', 'TokenController'];

describe('every route of the application', () => {
  it('is in the OpenAPI document, if it is one of the merchant contract, and no other is', () => {
    const ofContract = routesOf(servedPaths()).filter((route) => !OTHER_ROUTES.test(route.split(' ')[1]!));
    expect(routesOf(openApiDocument.paths)).toEqual(ofContract);
    expect(TABLES.map(({ route }) => route).sort()).toEqual(ofContract);
  });

  it('answers nothing but 401 without credentials, whatever is asked, unless it is open on purpose', async () => {
    const routes = routesOf(servedPaths());
    expect(routes).toEqual(expect.arrayContaining(OPEN_ROUTES));
    const closed = routes.filter((route) => !OPEN_ROUTES.includes(route));
    // Fastify answers HEAD wherever there is a GET.
    const heads = closed.flatMap((route) => (route.startsWith('GET ') ? [route.replace('GET', 'HEAD')] : []));
    expect(closed.length).toBeGreaterThan(20);
    for (const route of [...closed, ...heads]) {
      const [method, template] = route.split(' ') as [string, string];
      const path = template.replaceAll(/\{\w+\}/g, UNKNOWN_ID);
      // The token route says first that a grant is missing.
      const query = path === '/oauth/token' ? '?grant_type=client_credentials' : '';
      const isToken = method === 'POST' && query !== '';
      const answer = await world.send({
        method,
        path: path + query,
        body: method === 'GET' || method === 'HEAD' ? undefined : isToken ? { grant_type: 'client_credentials' } : {},
        authorization: null,
      });
      expect({ route, status: answer.status }).toEqual({ route, status: 401 });
      const body = await answer.text();
      if (method !== 'HEAD') expect(JSON.parse(body)).toMatchObject({ code: 'unauthorized' });
    }
  });

  it('belongs to a controller with a guard, a merchant route to one with the guard of merchants', () => {
    const controllers = [...world.keyferry.app.get(ModulesContainer).values()].flatMap((module) =>
      [...module.controllers.values()].map(({ metatype }) => metatype as Type),
    );
    expect(controllers.length).toBeGreaterThan(5);
    for (const controller of controllers) {
      const guards = (Reflect.getMetadata('__guards__', controller) as Type[] | undefined) ?? [];
      const path = `/${String(Reflect.getMetadata('path', controller))}`;
      const isMerchants = !OTHER_ROUTES.test(path);
      if (UNGUARDED_CONTROLLERS.includes(controller.name)) expect(guards).toEqual([]);
      else if (isMerchants) expect([controller.name, guards]).toEqual([controller.name, [MerchantAuthGuard]]);
      else expect([controller.name, guards.length]).toEqual([controller.name, 1]);
    }
  });

  it('declares its security in the OpenAPI document: a token or Basic, and only the token route may have none', () => {
    expect(openApiDocument.security).toEqual([{ oauth2: [] }, { basic: [] }]);
    const ownSecurity = Object.entries(openApiDocument.paths).flatMap(([path, item]) =>
      Object.values(item).flatMap((operation: { security?: object[] }) =>
        operation.security === undefined ? [] : [{ path, security: operation.security }],
      ),
    );
    expect(ownSecurity).toEqual(Array(2).fill({ path: '/oauth/token', security: [{}, { basic: [] }] }));
  });
});

it('a request whose body never comes to its end is answered 408, without credentials, and its connection closed', async () => {
  const answer = await answerToHalf;
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
    code: 'request_timeout',
    message: expect.any(String),
  });
  if (!halfRequest.destroyed) await once(halfRequest, 'close');
});
