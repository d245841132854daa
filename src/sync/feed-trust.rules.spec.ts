import { judgeFeed } from './feed-trust.rules.js';

const NOW = new Date('2026-01-02T12:00:00Z');
const minutesAgo = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

describe('judging the feed', () => {
  it.each([
    { missed: 0, judged: 0, isBelieved: true, because: 'nothing was found that it had not announced' },
    { missed: 2, judged: 2, isBelieved: true, because: 'two misses may be chance' },
    { missed: 3, judged: 3, isBelieved: false, because: 'three of three are none' },
    { missed: 5, judged: 100, isBelieved: true, because: 'one in twenty is rare' },
    { missed: 6, judged: 100, isBelieved: false, because: 'more than one in twenty is not' },
  ])('believes it: $isBelieved, for $because', ({ missed, judged, isBelieved }) => {
    expect(judgeFeed({ missed, judged, lastMissedAt: missed === 0 ? null : NOW }, null, NOW)).toEqual(
      isBelieved ? null : NOW,
    );
  });

  it('does not believe it again before half an hour has passed without a miss', () => {
    const since = minutesAgo(90);
    const after = (minutes: number) =>
      judgeFeed({ missed: 0, judged: 0, lastMissedAt: minutesAgo(minutes) }, since, NOW);
    expect(after(29)).toEqual(since);
    expect(after(30)).toBeNull();
  });

  it('remembers since when it does not believe it, whatever it misses meanwhile', () => {
    const since = minutesAgo(10);
    expect(judgeFeed({ missed: 40, judged: 40, lastMissedAt: NOW }, since, NOW)).toEqual(since);
  });

  it('believes it again when the last miss is forgotten', () => {
    expect(judgeFeed({ missed: 0, judged: 0, lastMissedAt: null }, minutesAgo(61), NOW)).toBeNull();
  });
});
