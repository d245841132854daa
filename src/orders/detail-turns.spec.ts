import { DetailTurns } from './detail-turns.js';

describe('turns at the details of many purchases', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `purchase-${index}`);

  /** Everybody asks again and again in the same order, 15 s apart; how often each had its turn within these seconds. */
  function turnsWithin(seconds: number): number[] {
    const turns = new DetailTurns();
    const counts = new Map(ids.map((id) => [id, 0]));
    for (let roundMs = 0; roundMs < seconds * 1000; roundMs += 15_000) {
      ids.forEach((id, index) => {
        if (turns.take(id, ids.length, roundMs + index * 150)) counts.set(id, counts.get(id)! + 1);
      });
    }
    return [...counts.values()];
  }

  it('are five a second at most', () => {
    const turns = new DetailTurns();
    const taken = ids.filter((id, index) => turns.take(id, ids.length, 1000 + index * 10));
    expect(taken).toHaveLength(5);
  });

  it('come to each, also when all ask in a fixed rhythm', () => {
    const counts = turnsWithin(120);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(6);
  });

  it('come back to the same one only after all others could have had theirs', () => {
    const turns = new DetailTurns();
    expect(turns.take('a', 100, 0)).toBe(true);
    expect(turns.take('a', 100, 19_999)).toBe(false);
    expect(turns.take('b', 100, 19_999)).toBe(true);
    expect(turns.take('a', 100, 20_200)).toBe(true);
  });
});
