import {
  isHistoryGivenUp,
  isOverInHistory,
  isPollingOver,
  pollGapSeconds,
  sharedFailureSeconds,
} from './polling.rules.js';

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

describe('a history that cannot be read', () => {
  it('is waited for as long as CWS says, and 5 minutes at most', () => {
    expect(sharedFailureSeconds({ retryAfterSeconds: undefined })).toBe(0);
    expect(sharedFailureSeconds({ retryAfterSeconds: 30 })).toBe(30);
    expect(sharedFailureSeconds({ retryAfterSeconds: 999_999_999 })).toBe(300);
  });

  it.each([
    ['rejected', 0, true],
    ['unknown', 0, true],
    ['retry', 300, false],
    ['retry_after', 300, false],
    ['retry', 301, true],
    ['retry_after', 301, true],
  ] as const)('is given up when it is %s for %i s: %s', (kind, failingSeconds, expected) => {
    expect(isHistoryGivenUp(kind, failingSeconds)).toBe(expected);
  });

  it('tells of an end, not of a state that is not known', () => {
    const states = ['completed', 'cancelled', 'failed', 'fulfilling', 'unknown', undefined] as const;
    expect(states.map(isOverInHistory)).toEqual([true, true, true, false, false, false]);
  });
});
