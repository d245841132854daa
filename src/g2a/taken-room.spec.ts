import { jest } from '@jest/globals';
import type { RequestBudget } from '../upstream/request-budget.js';
import { TakenRoom } from './taken-room.js';

const ROOM = { priority: 'bulk', maxWaitMs: 10 } as const;
const AGAIN = { priority: 'bulk', maxWaitMs: 0 } as const;

describe('room taken beforehand', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['is that of the first request', 0, 1, [ROOM]],
    ['is not that of a second one', 0, 2, [ROOM, AGAIN]],
    ['is lost when the request comes so late that it would count for another window', 500, 1, [ROOM, AGAIN]],
  ])('%s', async (_title, waitMs, requests, asked) => {
    const acquire = jest.fn<RequestBudget['acquire']>().mockResolvedValue();
    const room = await TakenRoom.take({ acquire, pauseFor: jest.fn(), close: jest.fn() }, ROOM);
    jest.advanceTimersByTime(waitMs);
    for (let request = 0; request < requests; request += 1) await room.acquire(AGAIN);
    expect(acquire.mock.calls).toEqual(asked.map((options) => [options]));
  });
});
