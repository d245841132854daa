import { describe, expect, it } from '@jest/globals';
import { until } from './until.js';

describe('waiting until something is seen', () => {
  it('looks until it is there', async () => {
    let looks = 0;
    const look = () => ((looks += 1) < 3 ? { saw: 'nothing' } : { value: 'key' });
    const { signal } = new AbortController();
    expect(await until<string>(look, { expected: 'a key', seconds: 5, everyMilliseconds: 1, signal })).toBe('key');
    expect(looks).toBe(3);
  });

  it('says what was expected and what was seen last when time is up', async () => {
    const { signal } = new AbortController();
    const waiting = until(() => ({ saw: '2 offers' }), { expected: '3 offers', seconds: 0, signal });
    await expect(waiting).rejects.toThrow('expected within 0 s: 3 offers; seen: 2 offers');
  });

  it('ends at once with the reason for which the demo ends', async () => {
    const ending = new AbortController();
    const waiting = until(() => ({ saw: 'nothing' }), {
      expected: 'anything',
      seconds: 600,
      everyMilliseconds: 600_000,
      signal: ending.signal,
    });
    ending.abort(new Error('a child died'));
    await expect(waiting).rejects.toThrow('a child died');
  });
});
