import { OneAtATime } from './one-at-a-time.js';

/** Work that ends when told, and counts. */
function controlled() {
  const ends: (() => void)[] = [];
  const seen = { started: 0, atOnce: 0, mostAtOnce: 0 };
  const turns = new OneAtATime(async () => {
    seen.started += 1;
    seen.atOnce += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce);
    await new Promise<void>((resolve) => ends.push(resolve));
    seen.atOnce -= 1;
  });
  return { turns, seen, end: () => ends.shift()?.() };
}

describe('work that runs one at a time', () => {
  it('begins at once when none is under way', async () => {
    const { turns, seen, end } = controlled();
    const run = turns.run();
    expect(seen.started).toBe(1);
    expect(turns.runningForMs).toBeGreaterThanOrEqual(0);
    end();
    await run;
    expect(turns.runningForMs).toBeNull();
  });

  it('gives callers that come meanwhile one further run, which begins after their calls', async () => {
    const { turns, seen, end } = controlled();
    const first = turns.run();
    const second = turns.run();
    const third = turns.run();
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    expect(seen.started).toBe(1);
    end();
    await first;
    await Promise.resolve();
    expect(seen.started).toBe(2);
    end();
    await third;
    expect(seen).toEqual({ started: 2, atOnce: 0, mostAtOnce: 1 });
  });

  it('never runs twice at once, not even for a caller that comes between two runs', async () => {
    const { turns, seen, end } = controlled();
    const first = turns.run();
    const afterFirst = first.then(() => turns.run());
    const second = turns.run();
    end();
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    end();
    await second;
    await new Promise((resolve) => setImmediate(resolve));
    end();
    await afterFirst;
    expect(seen.mostAtOnce).toBe(1);
    await turns.settled();
    expect(turns.runningForMs).toBeNull();
  });
});
