import type { AcquireOptions, RequestBudget } from '../upstream/request-budget.js';

/** A budget of which room for one request has been taken beforehand: what is sent can be chosen when it may go out. */
export class TakenRoom implements RequestBudget {
  #isUsed = false;

  private constructor(private readonly budget: RequestBudget) {}

  /** @throws UpstreamError `retry_after` when there is no room in time. */
  static async take(budget: RequestBudget, options: AcquireOptions): Promise<TakenRoom> {
    await budget.acquire(options);
    return new TakenRoom(budget);
  }

  /** The first time at once; repeats of the call need room of their own. */
  async acquire(options?: AcquireOptions): Promise<void> {
    if (this.#isUsed) return this.budget.acquire(options);
    this.#isUsed = true;
  }

  pauseFor(seconds: number): void {
    this.budget.pauseFor(seconds);
  }

  close(): void {
    // The budget goes on without it.
  }
}
