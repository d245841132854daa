import type { RequestRate } from './request-budget.js';
import { AT_ONCE, type RequestPriority, requestsWithin } from './request-priority.rules.js';

/**
 * Spreads requests evenly over a window: with many to send, room keeps coming back for what is more urgent, in place of all at
 * once a window later. Times are milliseconds of a clock that never goes back.
 */
export class RequestPace {
  /** Time between two requests. */
  readonly gapMs: number;
  readonly #headStartMs: number;
  #nextAt = -Infinity;

  private constructor(requests: number, countsForMs: number, atOnce: number) {
    this.gapMs = countsForMs / requests;
    this.#headStartMs = this.gapMs * atOnce;
  }

  /**
   * The pace of a priority; undefined where it has none.
   * @param countsForMs how long a request counts against the limit.
   */
  static of(priority: RequestPriority, { requests }: RequestRate, countsForMs: number): RequestPace | undefined {
    const atOnce = AT_ONCE[priority];
    if (atOnce === undefined) return undefined;
    return new RequestPace(requestsWithin(priority, requests), countsForMs, Math.floor(requests * atOnce));
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
