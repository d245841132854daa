import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { openApiDocument } from '../src/dropshipping/openapi/document.js';
import { DeliverKeysService } from '../src/orders/deliver-keys.service.js';
import { answerCheck, committedDocument } from './support/answer-validation.js';
import { environment, startKeyferry } from './support/keyferry.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const DIST = pathToFileURL(`${resolve(import.meta.dirname, '../dist')}/`).href;
const ORDER_ID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02';
const INVENTORY = '/order/{order_id}/inventory';

describe('docs/openapi.json', () => {
  const script = resolve(import.meta.dirname, '../scripts/openapi.mjs');
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyferry-openapi-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the document that the program serves', () => {
    expect(committedDocument()).toEqual(JSON.parse(JSON.stringify(openApiDocument)));
  });

  it('points nowhere that does not exist, and names each operation and each path parameter once', () => {
    const document = committedDocument();
    const targets = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(Object.keys(document.components!.schemas!).sort()).toEqual([...new Set(targets)].sort());
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, operation })),
    );
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter((parameter: { in: string }) => parameter.in === 'path');
      expect(inPath.map((parameter: { name: string }) => `{${parameter.name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  it('is compared and written by scripts/openapi.mjs', () => {
    const copy = join(folder, 'openapi.json');
    const committed = resolve(import.meta.dirname, '../docs/openapi.json');
    const run = (...options: string[]) => spawnSync(process.execPath, [script, ...options, copy], { encoding: 'utf8' });
    cpSync(committed, copy);
    expect(run()).toMatchObject({ status: 0, stdout: '' });

    writeFileSync(copy, readFileSync(committed, 'utf8').replace('"createOrder"', '"makeOrder"'));
    const drift = run();
    expect(drift.status).toBe(1);
    expect(drift.stdout).toMatch(/-.*"makeOrder"[^]*\+.*"createOrder"/);

    expect(run('--write').status).toBe(0);
    expect(readFileSync(copy, 'utf8')).toBe(readFileSync(committed, 'utf8'));
  });
});

describe('the documentation page', () => {
  // A process of its own: Jest on Node 20 cannot load @fastify/static, which requires an ES module.
  const program = `
    import 'reflect-metadata';
    import { NestFactory } from '@nestjs/core';
    import { FastifyAdapter } from '@nestjs/platform-fastify';
    const at = (file) => import(new URL(file, ${JSON.stringify(DIST)}));
    const { AppModule } = await at('app.module.js');
    const { parseEnvironment } = await at('config/environment.js');
    const { configureHttp, fastifyOptions } = await at('dropshipping/http-setup.js');
    const { serveDocs } = await at('dropshipping/openapi/serve-docs.js');
    const config = parseEnvironment(process.env);
    const module = AppModule.forRoot(config, config.databaseUrl);
    const app = await NestFactory.create(module, new FastifyAdapter(fastifyOptions(config)), { logger: false });
    configureHttp(app);
    serveDocs(app);
    await app.listen(0, '127.0.0.1');
    process.once('disconnect', () => app.close());
    process.send(await app.getUrl());`;
  let database: TestDatabase;
  let child: ChildProcess;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const nobody = 'http://127.0.0.1:1';
    child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: resolve(import.meta.dirname, '..'),
      env: { PATH: process.env.PATH, ...environment(nobody, nobody), DATABASE_URL: database.url },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the program ended with ${code}`);
    });
    const [listening] = await Promise.race([once(child, 'message'), failed]);
    failed.catch(() => undefined);
    url = listening;
  });
  afterAll(async () => {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
    await database.drop();
  });

  it('is there for everyone, with everything it loads', async () => {
    const page = await fetch(`${url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const html = await page.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target!);
    expect(loaded.length).toBeGreaterThan(3);
    for (const target of loaded) {
      const asset = await fetch(new URL(target, `${url}/docs`));
      expect([new URL(asset.url).origin, asset.status]).toEqual([url, 200]);
    }
  });

  it('is there as JSON', async () => {
    const answer = await fetch(`${url}/docs-json`);
    expect([answer.status, await answer.json()]).toEqual([200, committedDocument()]);
  });

  it.each([
    ['GET', '/docs/nowhere', 404, 'route_not_found', null],
    ['GET', '/docs/..%2f..%2fpackage.json', 404, 'route_not_found', null],
    ['GET', '/nowhere', 404, 'route_not_found', null],
    ['POST', '/docs', 405, 'method_not_allowed', 'GET, HEAD'],
    ['PUT', '/reservation', 405, 'method_not_allowed', 'POST'],
  ])('leaves other answers alone: %s %s', async (method, path, status, code, allow) => {
    const answer = await fetch(url + path, { method });
    expect([answer.status, await answer.json()]).toEqual([status, { code, message: expect.any(String) }]);
    expect(answer.headers.get('allow')).toBe(allow);
  });
});

describe('the validation of every answer', () => {
  const check = answerCheck();
  const answer = { method: 'GET', route: INVENTORY, status: 200, headers: { 'cache-control': 'no-store' } };

  it.each([
    ['a field too many', [{ product_id: 1, inventory_size: 1, inventory: [], extra: 1 }], 'additional properties'],
    ['a field too few', [{ product_id: 1, inventory: [] }], 'inventory_size'],
    ['text for a number', [{ product_id: '1', inventory_size: 1, inventory: [] }], 'must be integer'],
    ['an id that JSON rounds', [{ product_id: 2 ** 53, inventory_size: 1, inventory: [] }], 'must be <='],
    [
      'an unknown kind',
      [{ product_id: 1, inventory_size: 1, inventory: [{ id: ORDER_ID, value: 'X', kind: 'key' }] }],
      'allowed values',
    ],
  ])('refuses %s', (_case, body, problem) => {
    expect(check({ ...answer, body: JSON.stringify(body) })).toContain(problem);
  });

  it('refuses an unknown code, a missing header, a body where none belongs and a route without documentation', () => {
    const error = (code: string) => JSON.stringify({ code, message: '' });
    expect(check({ ...answer, status: 404, body: error('order_not_found') })).toBeUndefined();
    expect(check({ ...answer, status: 404, body: error('gone_fishing') })).toContain('allowed values');
    expect(check({ ...answer, status: 401, body: error('unauthorized') })).toContain('WWW-Authenticate');
    expect(check({ ...answer, route: '/healthcheck', status: 204, body: '{}' })).toContain('none is documented');
    expect(check({ ...answer, route: '/secret', body: '[]' })).toContain('not documented');
    expect(check({ ...answer, route: null, body: '[]' })).toContain('no route');
  });

  it('fails the test whose application gave a wrong body, or a status that is not documented', async () => {
    const keyferry = await startKeyferry();
    jest
      .spyOn(keyferry.app.get(DeliverKeysService), 'inventory')
      .mockResolvedValueOnce([{ g2aProductId: 1, inventorySize: -1, items: [] }])
      .mockRejectedValueOnce(new HttpException({ code: 'teapot', message: 'short and stout' }, 418));
    await keyferry.customer.inventory(ORDER_ID);
    await keyferry.customer.inventory(ORDER_ID);
    const stopped = keyferry.stop();
    await expect(stopped).rejects.toThrow(`GET ${INVENTORY} 200: body/0/inventory_size must be >= 0`);
    await expect(stopped).rejects.toThrow(`GET ${INVENTORY} 418: the status is not documented`);
  });
});
