import { InProcessRequestBudget } from './request-budget.js';
import { failureOf } from './spec-support/local-upstream.js';
import { UpstreamError } from './upstream-error.js';

describe('InProcessRequestBudget', () => {
  it('makes requests wait for room, first come first served', async () => {
    const budget = new InProcessRequestBudget('cws', 'test', { requests: 2, windowSeconds: 0.1 });
    const startedAt = performance.now();
    const admitted: { index: number; at: number }[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map(async (index) => {
        await budget.acquire();
        admitted.push({ index, at: performance.now() - startedAt });
      }),
    );
    expect(admitted.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(admitted[2]!.at).toBeGreaterThanOrEqual(99);
    expect(admitted[4]!.at).toBeGreaterThanOrEqual(199);
  });

  it('says at once how long there is no room when the wait is longer than allowed', async () => {
    const budget = new InProcessRequestBudget('cws', 'test', { requests: 1, windowSeconds: 60 });
    await budget.acquire({ maxWaitMs: 0 });
    const error = await failureOf(budget.acquire({ maxWaitMs: 1000 }));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ kind: 'retry_after', retryAfterSeconds: 60, isRetryable: true });
  });

  it('gives up a request whose wait a pause has made too long, and goes on with the others', async () => {
    const budget = new InProcessRequestBudget('cws', 'test', { requests: 1, windowSeconds: 0.05 });
    await budget.acquire();
    const impatient = failureOf(budget.acquire({ maxWaitMs: 60 }));
    const patient = budget.acquire();
    budget.pauseFor(0.2);
    expect(await impatient).toMatchObject({ kind: 'retry_after' });
    await expect(patient).resolves.toBeUndefined();
  });
});
