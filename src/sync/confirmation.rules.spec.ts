import {
  fullListingIntervalMs,
  isConfirmationDue,
  listingPageGapMs,
  newMappingIntervalMs,
} from './confirmation.rules.js';

describe('the confirmation of updates by the listing', () => {
  it.each<[string, number, number, number, number, boolean]>([
    ['is not due while nothing is unconfirmed', 0, 0, 600_000, 1, false],
    ['of one update waits for a minute', 1, 1, 59_999, 1, false],
    ['of one update is due after a minute', 1, 1, 60_000, 1, true],
    ['of 50 updates is due after ten seconds', 50, 50, 10_000, 1, true],
    ['of 49 updates does not pay for a request early', 49, 49, 10_000, 1, false],
    ['never comes sooner than ten seconds', 5000, 5000, 9_999, 1, false],
    ['of a thousand updates waits for a minute', 1000, 1000, 59_999, 1, false],
    ['of a thousand updates is due after a minute', 1000, 1000, 60_000, 11, true],
    ['of old updates does not pay again', 80, 0, 30_000, 1, false],
    ['counts the pages that it took last time', 99, 99, 10_000, 3, false],
  ])('%s', (_title, count, newCount, sinceMs, pages, isDue) => {
    expect(isConfirmationDue({ count, newCount }, sinceMs, pages)).toBe(isDue);
  });

  it('costs at most 0.02 requests per update when it comes early, however many there are', () => {
    for (let count = 1; count < 20_000; count += 7) {
      if (!isConfirmationDue({ count, newCount: count }, 10_000, 1)) continue;
      expect(Math.ceil(count / 100) / count).toBeLessThanOrEqual(0.02);
    }
  });
});

describe('the whole listing', () => {
  it('is read every ten minutes, and a long one so rarely that it takes ten requests a minute', () => {
    expect(fullListingIntervalMs(1)).toBe(600_000);
    expect(fullListingIntervalMs(1000)).toBe(6_000_000);
  });

  it('is read for new mappings at once where it is short, and with a tenth of the limit where it is long', () => {
    expect(newMappingIntervalMs(0)).toBe(0);
    expect(newMappingIntervalMs(1)).toBe(0);
    expect(newMappingIntervalMs(61)).toBe(60_000);
  });

  it('takes a third of the limit while it is read', () => {
    expect(60_000 / listingPageGapMs({ requests: 600, windowSeconds: 60 })).toBe(200);
  });
});
