import fc from 'fast-check';
import { HoldClock } from './hold-clock.rules.js';

const LIMITS = { longestMs: 30_000, looksApartMs: 15_000, quietMs: 1000 };

/** What each look answers. @param looks [time in seconds, whether more is to come]. */
function held(...looks: [number, boolean][]): boolean[] {
  const clock = new HoldClock(LIMITS);
  return looks.map(([seconds, isMore]) => clock.isHeld(isMore, seconds * 1000));
}

describe('the clock of a hold', () => {
  it('holds nothing while nothing is to come', () => {
    expect(held([0, false], [1, false], [60, false])).toEqual([false, false, false]);
  });

  it('ends a hold after its time, and begins none until it has been quiet', () => {
    expect(held([0, true], [14, true], [28, true], [30, true], [44, true], [45, false])).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(held([0, true], [14, true], [29, true], [30, true], [30.5, false], [31.5, true])).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('does not begin anew after a gap too short to send anything in', () => {
    expect(held([0, true], [14, true], [28, true], [28.5, false], [29, true], [30, true])).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  it('begins anew when nobody has looked for long', () => {
    expect(held([0, true], [14, true], [29, true], [31, true], [47, true])).toEqual([true, true, true, false, true]);
  });

  it('begins anew when nobody has looked for long, and nothing was to come at first', () => {
    expect(held([0, true], [9, true], [25, false], [25.5, true], [31, true])).toEqual([true, true, false, true, true]);
  });

  it('is the same hold as long as no rest is long enough', () => {
    const looks = fc.array(fc.tuple(fc.oneof(fc.nat(16_000), fc.nat(1100)), fc.boolean()));
    fc.assert(
      fc.property(looks, (steps) => {
        const clock = new HoldClock(LIMITS);
        let now = 0;
        const seen = steps.map(([gap, isMore]) => ({ at: (now += gap), isMore }));
        const answers = seen.map(({ at, isMore }) => clock.isHeld(isMore, at));
        expect(answers).toEqual(
          seen.map((look, index) => look.isMore && look.at - beginOf(seen, index) < LIMITS.longestMs),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});

interface Look {
  readonly at: number;
  readonly isMore: boolean;
}

/** When the hold began that a look belongs to. */
function beginOf(looks: readonly Look[], index: number): number {
  const { at } = looks[index]!;
  const before = looks.slice(0, index).findLastIndex(({ isMore }) => isMore);
  if (before === -1) return at;
  const [, ...between] = looks.slice(before, index + 1);
  const gaps = between.map((look, place) => look.at - looks[before + place]!.at);
  const isQuiet = between.length > 1 && at - between[0]!.at >= LIMITS.quietMs;
  return isQuiet || gaps.some((gap) => gap > LIMITS.looksApartMs) ? at : beginOf(looks, before);
}
