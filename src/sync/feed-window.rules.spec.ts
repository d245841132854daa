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
  it('reaches back two minutes with every pass while all of it fits in a page', () => {
    const cost = costOf([1, true]);
    expect(feedWindow({ position: at(100), rereadPosition: at(100) }, cost, RATE)).toEqual({
      updatedSince: at(-20),
      isReread: true,
    });
  });

  it('overlaps the pass before a little when it does not, and rereads all since the last reread once a minute', () => {
    const cost = costOf([2, true], [1, false]);
    expect(feedWindow({ position: at(100), rereadPosition: at(50) }, cost, RATE)).toEqual({
      updatedSince: at(90),
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

  it('does not ask at once again for what a burst has brought, but asks within two minutes', () => {
    for (const cost of [costOf([2, true], [100, false]), costOf([100, true])]) {
      const since = (position: number) => feedWindow({ position: at(position), rereadPosition: at(0) }, cost, RATE);
      expect(since(100)).toEqual({ updatedSince: at(99), isReread: false });
      expect(since(119).isReread).toBe(false);
      expect(since(120)).toEqual({ updatedSince: at(-120), isReread: true });
    }
  });

  it('after a burst says of no change that it was not announced, until it has reread', () => {
    const cost = costOf([1, true], [100, true]);
    expect(cost.maySkip(true)).toBe(false);
    expect(cost.maySkip(false)).toBe(true);
    cost.add(1, false);
    expect(cost.overlapSeconds).toBe(10);
    expect(cost.maySkip(false)).toBe(true);
    // What it rereads then is no news.
    cost.add(100, true);
    expect(cost.maySkip(false)).toBe(false);
    expect(cost.overlapSeconds).toBe(10);
  });

  it.each([
    [0.1, 0.5],
    [1, 0.5],
    [5, 0.5],
    [8, 0.75],
  ])(
    'leaves room to the sweep at %s changes a second: it takes at most %s of CWS’s limit',
    (changesPerSecond, share) => {
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
      expect(requests / 6).toBeLessThanOrEqual(share * RATE.requests);
    },
  );

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
