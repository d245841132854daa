import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { AppConfigModule } from '../config/config.module.js';
import { AdminGuard } from './admin.guard.js';
import { HttpAuthModule } from './http-auth.module.js';
import { basic, configWith } from './spec-support/admin-environment.js';
import { type Answer, listen, type ListeningApp } from './spec-support/listening-app.js';

@Controller('admin')
@UseGuards(AdminGuard)
class GuardedController {
  @Get()
  read(): { isOpen: boolean } {
    return { isOpen: true };
  }

  @Post()
  change(): { isOpen: boolean } {
    return { isOpen: true };
  }
}

describe('AdminGuard', () => {
  let server: ListeningApp;

  async function start(variables: Record<string, string>): Promise<void> {
    server = await listen({
      imports: [AppConfigModule.forRoot(configWith(variables)), HttpAuthModule],
      controllers: [GuardedController],
    });
  }

  afterEach(async () => {
    await server.app.close();
  });

  function get(headers: Record<string, string> = {}, address = '192.0.2.1'): Promise<Answer> {
    return server.request('GET', '/admin', { ...headers, 'x-forwarded-for': address });
  }

  it.each([
    ['without credentials', {}],
    ['with credentials', basic('admin', '')],
  ])('answers 404 while no password is set, %s', async (_case, headers: Record<string, string>) => {
    await start({});
    const answer = await get(headers);
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({ code: 'route_not_found', message: expect.any(String) });
    expect(answer.headers.has('www-authenticate')).toBe(false);
  });

  it('asks for credentials when there are none', async () => {
    await start({ ADMIN_PASSWORD: 'secret' });
    const answer = await get();
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
    expect(answer.json()).toEqual({ code: 'unauthorized', message: expect.any(String) });
  });

  it.each([
    ['a wrong password', basic('admin', 'wrong')],
    ['a wrong name', basic('root', 'secret')],
    ['an empty password', basic('admin', '')],
    ['a header that is no base64', { authorization: 'Basic %%%' }],
    ['a header without a value', { authorization: 'Basic' }],
    ['another scheme', { authorization: 'Bearer secret' }],
  ])('refuses %s', async (_case, headers: Record<string, string>) => {
    await start({ ADMIN_PASSWORD: 'secret' });
    const answer = await get(headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
  });

  it.each(['secret', 'with:colon', ':leading', 'trailing:', 'päss wörd'])(
    'accepts the password "%s"',
    async (password) => {
      await start({ ADMIN_USERNAME: 'root', ADMIN_PASSWORD: password });
      const answer = await get(basic('root', password));
      expect(answer.status).toBe(200);
    },
  );

  it('refuses the part of a password before its colon', async () => {
    await start({ ADMIN_PASSWORD: 'with:colon' });
    expect((await get(basic('admin', 'with'))).status).toBe(401);
  });

  it('turns an address away after ten wrong guesses, even with the right password, and no other address', async () => {
    await start({ ADMIN_PASSWORD: 'secret' });
    for (let guess = 0; guess < 10; guess += 1) {
      expect((await get(basic('admin', `guess ${guess}`))).status).toBe(401);
    }
    const turnedAway = await get(basic('admin', 'secret'));
    expect(turnedAway.status).toBe(429);
    expect(Number(turnedAway.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(turnedAway.json()).toMatchObject({ code: 'too_many_failed_attempts' });
    expect((await get(basic('admin', 'secret'), '192.0.2.2')).status).toBe(200);
  });

  it('does not count requests without credentials as guesses', async () => {
    await start({ ADMIN_PASSWORD: 'secret' });
    for (let request = 0; request < 12; request += 1) await get();
    expect((await get(basic('admin', 'secret'))).status).toBe(200);
  });

  it.each([
    ['POST', 'cross-site', 403],
    ['POST', 'same-site', 403],
    ['POST', 'same-origin', 201],
    ['GET', 'cross-site', 200],
  ] as const)('answers a %s that a browser marks as %s with %i', async (method, site, status) => {
    await start({ ADMIN_PASSWORD: 'secret' });
    const headers = { ...basic('admin', 'secret'), 'sec-fetch-site': site };
    const answer = await server.request(method, '/admin', headers);
    expect(answer.status).toBe(status);
  });
});
