import { RefusedBatches } from './refused-batches.rules.js';

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** Asks about these and whatever follows from it; CWS refuses what names one of the `bad`. @returns how often it was asked. */
function search(batches: RefusedBatches, batch: readonly string[], bad: readonly string[]): number {
  let asked = 0;
  for (let question: readonly string[] | undefined = batch; question !== undefined; question = batches.take()) {
    asked += 1;
    if (!question.some((id) => bad.includes(id))) batches.answered(question);
    else if (batches.isToBlame(question)) batches.blame(question);
    else if (batches.refused(question)) break;
  }
  return asked;
}

describe('a batch that CWS refuses', () => {
  it.each([1, 38, 75])('for product %s of 75 takes at most 17 questions until that one is blamed', (bad) => {
    const batches = new RefusedBatches();
    expect(search(batches, ids(1, 75), [String(bad)])).toBeLessThanOrEqual(17);
    expect(batches.blamed).toEqual([String(bad)]);
    expect(batches.isSearching).toBe(false);
  });

  it('for several is asked about in parts until each of them is blamed', () => {
    const batches = new RefusedBatches();
    search(batches, ids(1, 75), ['3', '4', '70']);
    expect([...batches.blamed].sort()).toEqual(['3', '4', '70']);
  });

  it('is nobody’s fault when everything is refused, and is not asked about on and on', () => {
    const batches = new RefusedBatches();
    expect(search(batches, ids(1, 75), ids(1, 75))).toBeLessThanOrEqual(24);
    expect(batches.blamed).toEqual([]);
    expect(batches.isSearching).toBe(false);
  });

  it('of one product is held against it only where something else was answered in the same turn', () => {
    const batches = new RefusedBatches();
    batches.answered(['2']);
    batches.beginTurn();
    expect(batches.isToBlame(['1'])).toBe(false);
    batches.refused(['1']);
    expect([batches.refusedAlone, batches.take()]).toEqual([['1'], undefined]);
    batches.answered(['2']);
    expect(batches.take()).toEqual(['1']);
    expect(batches.isToBlame(['1'])).toBe(true);
  });
});

describe('a product that CWS refuses alone', () => {
  it('is kept apart from others, and asked about again in each cycle until it is answered', () => {
    const batches = new RefusedBatches();
    search(batches, ids(1, 4), ['2']);
    expect(batches.apart).toEqual(['2']);
    batches.askAgain(new Set(['2']));
    search(batches, ids(5, 8), ['2']);
    expect(batches.apart).toEqual(['2']);
    batches.askAgain(new Set(['2']));
    search(batches, ids(5, 8), []);
    expect(batches.apart).toEqual([]);
  });

  it('is forgotten when it is mapped no more', () => {
    const batches = new RefusedBatches();
    search(batches, ids(1, 4), ['2']);
    batches.askAgain(new Set());
    expect([batches.apart, batches.hasParts]).toEqual([[], false]);
  });
});
