import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { RequestRate } from './request-budget.js';
import { leaseTerms, nextLeaseSize } from './request-lease.rules.js';
import { REQUEST_PRIORITIES, type RequestPriority, requestsWithin } from './request-priority.rules.js';
import { SharedRequestBudget } from './shared-request-budget.js';
import { MemoryLedger } from './spec-support/memory-ledger.js';
import { UpstreamError } from './upstream-error.js';

const MINUTE: RequestRate = { requests: 100, windowSeconds: 60 };

function replica(ledger: MemoryLedger, rate: RequestRate = MINUTE): SharedRequestBudget {
  return new SharedRequestBudget('cws', 'test', rate, ledger);
}

/** How many of these acquisitions are let through without waiting for room. */
async function admitted(budget: SharedRequestBudget, count: number, priority?: RequestPriority): Promise<number> {
  const all = Promise.allSettled(Array.from({ length: count }, () => budget.acquire({ priority, maxWaitMs: 0 })));
  await jest.advanceTimersByTimeAsync(200);
  return (await all).filter(({ status }) => status === 'fulfilled').length;
}

/** The most of these times within one window, wherever it is laid. */
function mostInWindow(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  let start = 0;
  return sorted.reduce((most, time, index) => {
    while ((sorted[start] ?? time) <= time - windowMs) start += 1;
    return Math.max(most, index - start + 1);
  }, 0);
}

describe('SharedRequestBudget', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const step = fc.record({
    gapMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3000 })),
    replica: fc.nat({ max: 2 }),
    requests: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 })),
    priority: fc.constantFrom(...REQUEST_PRIORITIES),
    crashes: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  });

  it('lets at most the limit through in any window, whatever several replicas do, crashes included, and keeps nobody waiting for good', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 150 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 25 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 120 })),
        async (requests, windowSeconds, steps, ways) => {
          const rate = { requests, windowSeconds };
          const ledger = new MemoryLedger(() => ways.next().value ?? 0);
          const replicas = [replica(ledger, rate), replica(ledger, rate), replica(ledger, rate)];
          const times: number[] = [];
          let patient = 0;
          let lost = 0;
          const send = (index: number, count: number, priority?: RequestPriority): void => {
            for (let request = 0; request < count; request += 1) {
              patient += 1;
              void replicas[index]!.acquire({ priority }).then(() => times.push(performance.now()));
            }
          };
          for (const { gapMs, replica: index, requests: count, priority, crashes } of steps) {
            await jest.advanceTimersByTimeAsync(gapMs);
            send(index, count, priority);
            if (!crashes) continue;
            replicas[index]!.close();
            // Those who waited there are gone.
            lost = patient;
            replicas[index] = replica(ledger, rate);
          }
          // Whatever was counted too little or forgotten too early is found by those who take all that is left.
          for (const index of replicas.keys()) send(index, requests);
          const windows = 3 + Math.ceil(patient / requestsWithin('spare', requests));
          await jest.advanceTimersByTimeAsync(windows * (windowSeconds + 4) * 1000);
          for (const budget of replicas) budget.close();
          expect(mostInWindow(times, windowSeconds * 1000)).toBeLessThanOrEqual(requests);
          expect(times.length).toBeGreaterThanOrEqual(patient - lost);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    { priority: 'normal', replicaCount: 2, atOnce: 600 },
    // What is spread is of the one replica that publishes.
    { priority: 'loss', replicaCount: 1, atOnce: 300 },
    { priority: 'bulk', replicaCount: 1, atOnce: 60 },
  ] as const)(
    'uses more than nine tenths of a limit with enough to send ($priority)',
    async ({ priority, replicaCount, atOnce }) => {
      const ledger = new MemoryLedger(() => 5);
      const rate = { requests: 600, windowSeconds: 60 };
      const replicas = Array.from({ length: replicaCount }, () => replica(ledger, rate));
      let sent = 0;
      const send = async (budget: SharedRequestBudget): Promise<never> => {
        for (;;) {
          await budget.acquire({ priority });
          sent += 1;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      for (const budget of replicas) for (let sender = 0; sender < 20; sender += 1) void send(budget);
      await jest.advanceTimersByTimeAsync(600_000);
      // The first window's burst is not a rate.
      expect(sent - atOnce).toBeGreaterThanOrEqual(0.9 * 600 * 9);
      expect(sent).toBeLessThanOrEqual(600 * 10);
    },
  );

  it('leaves the last part of the limit to higher priorities', async () => {
    const budget = replica(new MemoryLedger());
    expect(await admitted(budget, 100, 'spare')).toBe(80);
    expect(await admitted(budget, 100, 'background')).toBe(10);
    expect(await admitted(budget, 100, 'bulk')).toBe(8);
    expect(await admitted(budget, 1, 'urgent')).toBe(1);
    expect(await admitted(budget, 100)).toBe(1);
    expect(await admitted(budget, 1, 'urgent')).toBe(0);
  });

  it('lets some in bulk through at once and spreads the rest, so that there is always room for what is urgent', async () => {
    const budget = replica(new MemoryLedger(), { requests: 600, windowSeconds: 60 });
    expect(await admitted(budget, 200, 'bulk')).toBe(60);
    const sent: number[] = [];
    for (let request = 0; request < 2000; request += 1) {
      void budget.acquire({ priority: 'bulk' }).then(() => sent.push(performance.now()));
    }
    for (let minute = 0; minute < 3; minute += 1) {
      await jest.advanceTimersByTimeAsync(53_000);
      // 53 s after the first was sent the limit is nearly used up.
      expect(await admitted(budget, 12, 'urgent')).toBe(12);
      await jest.advanceTimersByTimeAsync(7_000);
    }
    // Where 12 went to others, 12 have to wait; never for most of a window.
    const gaps = sent.map((time, index) => time - (sent[index - 1] ?? time));
    expect(Math.max(...gaps)).toBeLessThan(10_000);
    budget.close();
  });

  it('lets half of a limit of prices that lose money through at once, and a stop at any time after them', async () => {
    const budget = replica(new MemoryLedger(), { requests: 600, windowSeconds: 60 });
    for (let request = 0; request < 2000; request += 1) void budget.acquire({ priority: 'loss' });
    await jest.advanceTimersByTimeAsync(1_000);
    for (let second = 1; second < 120; second += 10) {
      expect(await admitted(budget, 4, 'urgent')).toBe(4);
      await jest.advanceTimersByTimeAsync(9_800);
    }
    budget.close();
  });

  it('gives the room that comes back to what tells of earlier requests before what is sent in bulk', async () => {
    const budget = replica(new MemoryLedger(), { requests: 600, windowSeconds: 60 });
    let waiting = 1500;
    for (let request = waiting; request > 0; request -= 1) {
      void budget.acquire({ priority: 'bulk' }).then(() => (waiting -= 1));
    }
    await jest.advanceTimersByTimeAsync(100_000);
    let read = 0;
    for (let page = 0; page < 100; page += 1) {
      void budget.acquire({ priority: 'upkeep' }).then(() => (read += 1));
      await jest.advanceTimersByTimeAsync(300);
    }
    // At the pace of a whole listing: 100 pages in 30 s, though the limit is used up by what comes in bulk.
    expect(read).toBeGreaterThan(95);
    // Up to the end there was more in bulk than room.
    expect(waiting).toBeGreaterThan(0);
    budget.close();
  });

  it('admits higher priorities first, and those of one in the order of arrival', async () => {
    const budget = replica(new MemoryLedger(), { requests: 20, windowSeconds: 60 });
    expect(await admitted(budget, 20)).toBe(20);
    const order: string[] = [];
    for (const [index, priority] of (
      ['spare', 'bulk', 'normal', 'urgent', 'background', 'urgent'] as const
    ).entries()) {
      void budget.acquire({ priority }).then(() => order.push(`${priority} ${index}`));
    }
    await jest.advanceTimersByTimeAsync(70_000);
    expect(order).toEqual(['urgent 3', 'urgent 5', 'normal 2', 'bulk 1', 'background 4', 'spare 0']);
  });

  it('gives back what it has not used when its lease ends', async () => {
    const ledger = new MemoryLedger();
    const one = replica(ledger, { requests: 40, windowSeconds: 60 });
    const other = replica(ledger, { requests: 40, windowSeconds: 60 });
    // Leases grow with use: the last one holds more than is used of it.
    for (let request = 0; request < 4; request += 1) {
      void one.acquire();
      await jest.advanceTimersByTimeAsync(20);
    }
    await jest.advanceTimersByTimeAsync(4_000);
    expect(await admitted(other, 40)).toBe(36);
  });

  it('asks the ledger once for many requests', async () => {
    const ledger = new MemoryLedger();
    const lease = jest.spyOn(ledger, 'lease');
    const budget = replica(ledger, { requests: 4000, windowSeconds: 60 });
    for (let request = 0; request < 400; request += 1) {
      void budget.acquire();
      await jest.advanceTimersByTimeAsync(3);
    }
    expect(lease.mock.calls.length).toBeLessThanOrEqual(12);
  });

  it('says at once how long there is no room when the wait is longer than allowed', async () => {
    const budget = replica(new MemoryLedger());
    expect(await admitted(budget, 100)).toBe(100);
    const refused = budget.acquire({ maxWaitMs: 5_000 }).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(10);
    const error = await refused;
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ kind: 'retry_after', message: expect.stringContaining('are used up') });
    expect((error as UpstreamError).retryAfterSeconds).toBeGreaterThan(55);
  });

  it('pauses every replica when one is told to', async () => {
    const ledger = new MemoryLedger();
    const [one, other] = [replica(ledger), replica(ledger)];
    one.pauseFor(30);
    expect(await admitted(one, 1, 'urgent')).toBe(0);
    expect(await admitted(other, 1, 'urgent')).toBe(0);
    let isThrough = false;
    void other.acquire().then(() => (isThrough = true));
    await jest.advanceTimersByTimeAsync(28_000);
    expect(isThrough).toBe(false);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(isThrough).toBe(true);
  });

  it('lets nothing through while the ledger is out of reach, and goes on afterwards', async () => {
    const ledger = new MemoryLedger();
    const budget = replica(ledger);
    ledger.isReachable = false;
    const refused = budget.acquire().catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(10);
    expect(await refused).toMatchObject({ kind: 'retry_after', retryAfterSeconds: 1 });
    ledger.isReachable = true;
    expect(await admitted(budget, 3)).toBe(3);
  });

  it('gives up on a ledger that does not answer', async () => {
    const budget = replica(new MemoryLedger(() => 60_000));
    const refused = budget.acquire({ maxWaitMs: 0 }).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(2_100);
    expect(await refused).toMatchObject({ kind: 'retry_after', message: expect.stringContaining('does not answer') });
    budget.close();
  });
});

describe('the rules of leases', () => {
  it('hand a limit out in at least twenty parts and cost little of it', () => {
    expect(leaseTerms({ requests: 600, windowSeconds: 60 })).toEqual({
      lifeMs: 2000,
      countsForMs: 61_000,
      largest: 30,
    });
    expect(leaseTerms({ requests: 3, windowSeconds: 1 })).toEqual({ lifeMs: 250, countsForMs: 1020, largest: 1 });
  });

  it('let leases grow while they are used up and shrink to what is used', () => {
    expect(nextLeaseSize({ granted: 4, used: 4 }, 30)).toBe(8);
    expect(nextLeaseSize({ granted: 20, used: 20 }, 30)).toBe(30);
    expect(nextLeaseSize({ granted: 20, used: 3 }, 30)).toBe(3);
    expect(nextLeaseSize({ granted: 20, used: 0 }, 30)).toBe(1);
  });

  it('let even the lowest priority send something', () => {
    expect(REQUEST_PRIORITIES.map((priority) => requestsWithin(priority, 1))).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(REQUEST_PRIORITIES.map((priority) => requestsWithin(priority, 400))).toEqual([
      400, 400, 388, 392, 392, 360, 320,
    ]);
  });
});
