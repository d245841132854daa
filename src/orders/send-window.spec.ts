import { jest } from '@jest/globals';
import { SendWindow } from './send-window.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the time to write a claimed sending', () => {
  it('is over after 5 s of the monotonic clock', () => {
    const window = new SendWindow();
    expect(window.isOpen).toBe(true);
    const nowMs = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(nowMs + 5_001);
    expect(window.isOpen).toBe(false);
  });

  it('is over when the machine was suspended: only the wall clock has gone on', () => {
    const window = new SendWindow();
    const nowMs = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(nowMs + 180_000);
    expect(window.isOpen).toBe(false);
  });

  it('is not prolonged by a clock that is set back', () => {
    const window = new SendWindow();
    const nowMs = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(nowMs + 5_001);
    const wallMs = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(wallMs - 3_600_000);
    expect(window.isOpen).toBe(false);
  });
});
