import { expectedCycleSeconds, SWEEP_BATCH, SweepCycle, SweepPace, sweepPlan } from './sweep.rules.js';

/** What CWS allows. */
const RATE = { requests: 400, windowSeconds: 600 };
const at = (seconds: number): Date => new Date(seconds * 1000);

describe('the plan of the sweep', () => {
  it.each([true, false])('leaves a fifth of the limit to others, feed unreliable: %s', (isUnreliable) => {
    expect(sweepPlan(RATE, isUnreliable).batchesPerSecond * RATE.windowSeconds).toBeLessThanOrEqual(0.8 * 400);
  });

  it.each([true, false])(
    'can ask for all hot products as often as it promises, feed unreliable: %s',
    (isUnreliable) => {
      const { batchesPerSecond, hotProducts, hotAfterSeconds } = sweepPlan(RATE, isUnreliable);
      expect(hotProducts / SWEEP_BATCH / hotAfterSeconds).toBeLessThanOrEqual(batchesPerSecond / 2);
      expect(hotProducts).toBeGreaterThanOrEqual(SWEEP_BATCH);
    },
  );

  it('sees a hot product at least every 20 s while the feed is unreliable, an interval of 5 s and a slow answer included', () => {
    expect(sweepPlan(RATE, false).hotAfterSeconds + 5 + 2).toBeLessThan(20);
  });

  it('says how long one look at everything takes, before that was measured', () => {
    // 1,334 batches, 300 of them in 600 s.
    expect(expectedCycleSeconds(100_000, RATE)).toBeCloseTo(2668);
    expect(expectedCycleSeconds(1, RATE)).toBeCloseTo(2);
  });

  it('has a place for hot products under the smallest limit', () => {
    expect(sweepPlan({ requests: 1, windowSeconds: 600 }, false).hotProducts).toBe(SWEEP_BATCH);
  });
});

describe('the pace of the sweep', () => {
  const plan = { ...sweepPlan(RATE, false), batchesPerSecond: 0.5, hotProducts: 3 * SWEEP_BATCH };

  /** How many batches it lets through at these seconds, asked until it refuses. */
  function taken(pace: SweepPace, ...seconds: number[]): number[] {
    return seconds.map((second) => {
      let count = 0;
      while (pace.tryTake(second * 1000, plan, 'hot')) count += 1;
      return count;
    });
  }

  it('saves a minute of requests, and then spreads them evenly', () => {
    expect(taken(new SweepPace(), 0, 5, 10, 15, 16, 17)).toEqual([30, 2, 3, 2, 1, 0]);
  });

  it('does not save more than a minute of them while there is nothing to ask', () => {
    expect(taken(new SweepPace(), 0, 3600)).toEqual([30, 30]);
  });

  it('keeps what hot products may need from the others', () => {
    const pace = new SweepPace();
    const rest = (second: number) => pace.tryTake(second * 1000, plan, 'rest');
    let count = 0;
    while (rest(0)) count += 1;
    expect(count).toBe(27);
    expect(taken(pace, 0)).toEqual([3]);
    expect([rest(6), rest(8), rest(8)]).toEqual([false, true, false]);
  });

  it('lets a new catalog through faster, and leaves hot products theirs and the feed its own', () => {
    const pace = new SweepPace();
    const real = sweepPlan(RATE, false);
    let urgent = 0;
    while (pace.tryTake(0, real, 'urgent')) urgent += 1;
    expect(urgent).toBeGreaterThan(75);
    expect(pace.tryTake(0, real, 'rest')).toBe(false);
    expect(pace.tryTake(0, real, 'hot')).toBe(true);
    let inWindow = urgent + 1;
    for (let second = 1; second <= RATE.windowSeconds; second += 1) {
      while (pace.tryTake(second * 1000, real, 'urgent') || pace.tryTake(second * 1000, real, 'hot')) inWindow += 1;
    }
    expect(inWindow).toBeLessThanOrEqual(0.75 * RATE.requests + 1);
  });

  it('lets one through now and then under the smallest limit', () => {
    const pace = new SweepPace();
    const slow = sweepPlan({ requests: 2, windowSeconds: 600 }, false);
    const rest = (second: number) => pace.tryTake(second * 1000, slow, 'rest');
    expect([0, 1, 599, 601].map(rest)).toEqual([true, false, false, true]);
  });
});

describe('the measured cycle of the sweep', () => {
  it('is the time from one complete round to the next', () => {
    const cycle = new SweepCycle();
    expect(cycle.end(at(100))).toBeNull();
    expect(cycle.end(at(400))).toBe(300);
    expect(cycle.open.startedAt).toEqual(at(400));
  });

  /** Turns of a second, one each 5 s, that go well unless told otherwise. */
  function turns(cycle: SweepCycle, fromSecond: number, untilSecond: number, goWell = true): void {
    for (let second = fromSecond; second < untilSecond; second += 5) {
      cycle.beginTurn(second * 1000, 5000);
      if (goWell) cycle.endTurn((second + 1) * 1000);
    }
  }

  it('leaves out the time in which CWS was in trouble, for an outage must not make older data acceptable', () => {
    const cycle = new SweepCycle();
    cycle.end(at(0));
    turns(cycle, 0, 1000);
    turns(cycle, 1000, 1600, false);
    turns(cycle, 1600, 3000);
    // The turn that finds everything asked for.
    cycle.beginTurn(3_000_000, 5000);
    expect(cycle.end(at(3000))).toBe(2400);
  });

  it('is measured though one answer was an error', () => {
    const cycle = new SweepCycle();
    cycle.end(at(0));
    turns(cycle, 0, 3000);
    turns(cycle, 3000, 3005, false);
    turns(cycle, 3005, 4000);
    cycle.beginTurn(4_000_000, 5000);
    expect(cycle.end(at(4000))).toBe(3995);
  });

  it('leaves out a pause, and the time in which another replica led', () => {
    const cycle = new SweepCycle();
    cycle.end(at(0));
    turns(cycle, 0, 100);
    turns(cycle, 100_000, 100_200);
    cycle.beginTurn(100_200_000, 5000);
    const seconds = cycle.end(at(100_200));
    expect(seconds).toBeGreaterThan(295);
    expect(seconds).toBeLessThan(310);
  });

  it('does not wait for products that CWS does not tell about, until the next one', () => {
    const cycle = new SweepCycle();
    cycle.end(at(0));
    cycle.leaveOut(['a', 'b', 'a']);
    expect(cycle.open.unanswered).toEqual(['a', 'b']);
    cycle.end(at(60));
    expect(cycle.open.unanswered).toEqual([]);
  });
});
