import type { RequestRate } from './request-budget.js';
import { requestsWithin } from './request-priority.rules.js';

/** Part of a limit that may be sent without a pause after a rest: some changes at a time are nothing to be spread. */
const AT_ONCE = 0.1;

/**
 * Spreads requests evenly over a window: with many to send, room keeps coming back for what is more urgent, in place of all at
 * once a window later. Times are milliseconds of a clock that never goes back.
 */
export class RequestPace {
  /** Time between two requests. */
  readonly gapMs: number;
  readonly #headStartMs: number;
  #nextAt = -Infinity;

  /** @param countsForMs how long a request counts against the limit. */
  constructor({ requests }: RequestRate, countsForMs: number) {
    this.gapMs = countsForMs / requestsWithin('bulk', requests);
    this.#headStartMs = this.gapMs * Math.floor(requests * AT_ONCE);
  }

  /** When the next request may be sent; in the past: at once. */
  get readyAt(): number {
    return this.#nextAt - this.#headStartMs;
  }

  take(now: number): void {
    this.#nextAt = Math.max(this.#nextAt, now) + this.gapMs;
  }

  /** There was no room although it was time: that is not made up for later, or all would be sent at once again. */
  forgetRest(now: number): void {
    this.#nextAt = Math.max(this.#nextAt, now + this.#headStartMs);
  }
}
