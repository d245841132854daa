import type { AcquireOptions, RequestBudget } from '../upstream/request-budget.js';

/** Budgets count on room being used at once, give or take a second for the way to the upstream. */
const KEEPS_MS = 500;

/** A budget of which room for one request has been taken beforehand: what is sent can be chosen when it may go out. */
export class TakenRoom implements RequestBudget {
  #usableUntilMs: number;

  private constructor(private readonly budget: RequestBudget) {
    this.#usableUntilMs = performance.now() + KEEPS_MS;
  }

  /** @throws UpstreamError `retry_after` when there is no room in time. */
  static async take(budget: RequestBudget, options: AcquireOptions): Promise<TakenRoom> {
    await budget.acquire(options);
    return new TakenRoom(budget);
  }

  /** The first time at once; repeats of the call need room of their own, and so does a call that comes too late. */
  async acquire(options?: AcquireOptions): Promise<void> {
    const isUsable = performance.now() < this.#usableUntilMs;
    this.#usableUntilMs = -Infinity;
    if (!isUsable) await this.budget.acquire(options);
  }

  pauseFor(seconds: number): void {
    this.budget.pauseFor(seconds);
  }

  close(): void {
    // The budget goes on without it.
  }
}
