import fc from 'fast-check';
import { SlidingWindow } from './sliding-window.rules.js';

describe('SlidingWindow', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });

  it('lets at most the allowed number through in any window, wherever it is laid', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 1000 }),
        steps,
        (requests, windowMs, gaps) => {
          const window = new SlidingWindow(requests, windowMs);
          const taken: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            if (window.tryTake(now)) taken.push(now);
          }
          for (const start of taken) {
            expect(taken.filter((time) => time >= start && time < start + windowMs).length).toBeLessThanOrEqual(
              requests,
            );
          }
        },
      ),
    );
  });

  it('lets a request through as soon as the window allows, and says when that is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 1000 }),
        steps,
        (requests, windowMs, gaps) => {
          const window = new SlidingWindow(requests, windowMs);
          const taken: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            const within = taken.filter((time) => time > now - windowMs);
            const hasRoom = within.length < requests;
            expect(window.waitMs(now)).toBe(hasRoom ? 0 : within[0]! + windowMs - now);
            expect(window.tryTake(now)).toBe(hasRoom);
            if (hasRoom) taken.push(now);
          }
        },
      ),
    );
  });

  it('foresees the wait of a request that has others ahead', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 5 }),
        (requests, ahead, used) => {
          const window = new SlidingWindow(requests, 100);
          for (let index = 0; index < used; index += 1) window.tryTake(index);
          const foreseen = window.waitMs(10, ahead);
          let now = 10;
          for (let index = 0; index < ahead; index += 1) {
            now += window.waitMs(now);
            window.tryTake(now);
          }
          expect(now + window.waitMs(now) - 10).toBe(foreseen);
        },
      ),
    );
  });

  it('lets nothing through before the end of a pause and never shortens a pause', () => {
    const window = new SlidingWindow(5, 100);
    window.pauseUntil(500);
    window.pauseUntil(200);
    expect(window.tryTake(499)).toBe(false);
    expect(window.waitMs(400)).toBe(100);
    expect(window.tryTake(500)).toBe(true);
  });

  it('refuses a rate without requests or without a window', () => {
    expect(() => new SlidingWindow(0, 100)).toThrow(RangeError);
    expect(() => new SlidingWindow(1, 0)).toThrow(RangeError);
  });
});
