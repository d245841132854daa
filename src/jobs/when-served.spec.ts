import { whenServed } from './when-served.js';

/** A clock that is read once at the beginning, and then after each turn of the event loop. */
function turnsOf(...lengthsMs: number[]) {
  let now = 5000;
  let reads = 0;
  const clock = (): number => {
    if (reads > 0) now += lengthsMs[Math.min(reads, lengthsMs.length) - 1]!;
    reads += 1;
    return now;
  };
  return { clock, turns: () => reads - 1 };
}

describe('work that nobody waits for', () => {
  it('goes on after one turn of the event loop in which nobody came', async () => {
    const { clock, turns } = turnsOf(0.2);
    await whenServed(100, clock);
    expect(turns()).toBe(1);
  });

  it('lets those who came be served, and those who came meanwhile', async () => {
    const { clock, turns } = turnsOf(12, 5, 2, 0.9);
    await whenServed(100, clock);
    expect(turns()).toBe(4);
  });

  it('goes on in the end, however many come', async () => {
    const { clock, turns } = turnsOf(30);
    await whenServed(100, clock);
    expect(turns()).toBe(4);
  });

  it('lets the event loop have its turn', async () => {
    let isServed = false;
    setImmediate(() => (isServed = true));
    await whenServed();
    expect(isServed).toBe(true);
  });
});
