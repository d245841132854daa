import { FailureLimiter } from './failure-limiter.js';

describe('FailureLimiter', () => {
  let nowMs: number;
  let limiter: FailureLimiter;

  beforeEach(() => {
    nowMs = 1_000_000;
    limiter = new FailureLimiter(() => nowMs, { maxFailures: 3, windowSeconds: 60, maxAddresses: 2 });
  });

  function fail(address: string, times: number): void {
    for (let i = 0; i < times; i += 1) limiter.recordFailure(address);
  }

  it('bears failures up to the limit', () => {
    fail('a', 2);
    expect(limiter.retryAfterSeconds('a')).toBe(0);
  });

  it('turns an address away from the limit on, until its window ends', () => {
    fail('a', 3);
    expect(limiter.retryAfterSeconds('a')).toBe(60);
    nowMs += 59_500;
    expect(limiter.retryAfterSeconds('a')).toBe(1);
    nowMs += 500;
    expect(limiter.retryAfterSeconds('a')).toBe(0);
  });

  it('starts counting anew in the next window', () => {
    fail('a', 3);
    nowMs += 60_000;
    fail('a', 2);
    expect(limiter.retryAfterSeconds('a')).toBe(0);
    fail('a', 1);
    expect(limiter.retryAfterSeconds('a')).toBe(60);
  });

  it('counts each address for itself', () => {
    fail('a', 3);
    expect(limiter.retryAfterSeconds('b')).toBe(0);
  });

  it('forgets the window that started first when it holds as many addresses as it may', () => {
    fail('a', 3);
    fail('b', 3);
    fail('c', 3);
    expect(['a', 'b', 'c'].map((address) => limiter.retryAfterSeconds(address) > 0)).toEqual([false, true, true]);
  });
});
