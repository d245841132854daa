import { isPollingOver, pollGapSeconds } from './polling.rules.js';

describe('the gap between two questions about a purchase', () => {
  it('grows from 2 s to 15 s', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 50].map((count) => pollGapSeconds(count, false))).toEqual([
      2, 3, 4.5, 6.75, 10.125, 15, 15, 15,
    ]);
  });

  it('is 5 minutes after the deadline', () => {
    expect(pollGapSeconds(0, true)).toBe(300);
  });
});

describe('asking about a purchase', () => {
  it('ends when it is 24 hours old', () => {
    expect(isPollingOver({ ageSeconds: 86_399, awaitedPreorders: 0 })).toBe(false);
    expect(isPollingOver({ ageSeconds: 86_400, awaitedPreorders: 0 })).toBe(true);
  });

  it('goes on while CWS owes a pre-order', () => {
    expect(isPollingOver({ ageSeconds: 30 * 86_400, awaitedPreorders: 1 })).toBe(false);
  });
});
