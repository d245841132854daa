import { type AccessToken, AccessTokenSource } from './access-token-source.js';

describe('AccessTokenSource', () => {
  let now = 0;
  let fetched: AccessToken[] = [];
  let life = 1158;
  let fail = false;

  const source = (): AccessTokenSource =>
    new AccessTokenSource(
      async () => {
        await Promise.resolve();
        if (fail) throw new Error('no token');
        const token = { value: 'same text', expiresInSeconds: life };
        fetched.push(token);
        return token;
      },
      () => now,
    );

  beforeEach(() => {
    now = 0;
    fetched = [];
    life = 1158;
    fail = false;
  });

  it('fetches one token for many callers at once', async () => {
    const tokens = source();
    const all = await Promise.all(Array.from({ length: 50 }, () => tokens.current()));
    expect(fetched).toHaveLength(1);
    expect(new Set(all).size).toBe(1);
  });

  it('renews by the life that the upstream told, shortly before its end', async () => {
    const tokens = source();
    await tokens.current();
    now = 1_152_000;
    await tokens.current();
    expect(fetched).toHaveLength(1);
    now = 1_154_000;
    await tokens.current();
    expect(fetched).toHaveLength(2);
  });

  it('asks a few times, not at every call, when the upstream hands out the same dying token again', async () => {
    const tokens = source();
    const diesAt = 1_158_000;
    for (now = 0; now < diesAt; now += 50) {
      life = Math.floor((diesAt - now) / 1000);
      await tokens.current();
    }
    expect(fetched.length).toBeLessThan(8);
  });

  it('renews a refused token once for all who used it', async () => {
    const tokens = source();
    const [first, second] = await Promise.all([tokens.current(), tokens.current()]);
    tokens.invalidate(first);
    const renewed = await tokens.current();
    tokens.invalidate(second);
    expect(await tokens.current()).toBe(renewed);
    expect(fetched).toHaveLength(2);
  });

  it('does not remember a fetch that failed', async () => {
    const tokens = source();
    fail = true;
    await expect(tokens.current()).rejects.toThrow('no token');
    fail = false;
    await expect(tokens.current()).resolves.toMatchObject({ value: 'same text' });
  });
});
