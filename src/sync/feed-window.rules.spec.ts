import { FeedCost, feedWindow, leastFeedIntervalSeconds, positionAfter } from './feed-window.rules.js';

/** What CWS allows. */
const RATE = { requests: 400, windowSeconds: 600 };
const at = (seconds: number): Date => new Date(1_700_000_000_000 + seconds * 1000);

function costOf(...passes: readonly (readonly [pages: number, isReread: boolean])[]): FeedCost {
  const cost = new FeedCost();
  for (const [pages, isReread] of passes) cost.add(pages, isReread);
  return cost;
}

describe('the window of a pass over the feed', () => {
  it('overlaps the pass before a little, and rereads all since the last reread once a minute', () => {
    const cost = costOf([1, true], [1, false]);
    expect(feedWindow({ position: at(100), rereadPosition: at(50) }, cost, RATE)).toEqual({
      updatedSince: at(95),
      isReread: false,
    });
    expect(feedWindow({ position: at(110), rereadPosition: at(50) }, cost, RATE)).toEqual({
      updatedSince: at(50 - 120),
      isReread: true,
    });
  });

  it('rereads when nothing is known of a reread', () => {
    expect(feedWindow({ position: at(0), rereadPosition: null }, new FeedCost(), RATE)).toEqual({
      updatedSince: at(-120),
      isReread: true,
    });
  });

  it('does not ask at once again for what a large pass has brought, but asks within ten minutes', () => {
    const cost = costOf([1, true], [100, false]);
    const since = (position: number) => feedWindow({ position: at(position), rereadPosition: at(0) }, cost, RATE);
    expect(since(100)).toEqual({ updatedSince: at(99), isReread: false });
    expect(since(599).isReread).toBe(false);
    expect(since(600)).toEqual({ updatedSince: at(-120), isReread: true });
  });

  it.each([0.1, 1, 5, 8])('fits into CWS’s limit beside the sweep at %s changes a second', (changesPerSecond) => {
    const cost = new FeedCost();
    let state = { position: at(0), rereadPosition: at(0) };
    let requests = 0;
    for (let second = 5; second <= 3600; second += 5) {
      const { updatedSince, isReread } = feedWindow(state, cost, RATE);
      const changes = ((at(second).getTime() - updatedSince.getTime()) / 1000) * changesPerSecond;
      const pages = Math.max(1, Math.ceil(changes / 100));
      cost.add(pages, isReread);
      requests += pages;
      state = { position: at(second), rereadPosition: isReread ? at(second) : state.rereadPosition };
    }
    expect(requests / 6).toBeLessThanOrEqual(0.5 * RATE.requests);
  });

  it('keeps passes apart that would use up the limit by themselves', () => {
    expect(leastFeedIntervalSeconds(RATE)).toBeLessThan(5);
    expect(leastFeedIntervalSeconds(RATE)).toBeGreaterThan(3);
  });

  it('starts where CWS’s clock was, if that is behind ours, and not where a broken one says', () => {
    expect(positionAfter(at(1000), -300_000)).toEqual(at(700));
    expect(positionAfter(at(1000), 300_000)).toEqual(at(1000));
    expect(positionAfter(at(10_000), -86_400_000)).toEqual(at(6400));
  });
});
