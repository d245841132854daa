import type { RequestPriority } from './request-priority.rules.js';
import { SlidingWindow } from './sliding-window.rules.js';
import { UpstreamError, type UpstreamSystem } from './upstream-error.js';

/** A rate such as 400 requests in 600 s. */
export interface RequestRate {
  readonly requests: number;
  readonly windowSeconds: number;
}

export interface AcquireOptions {
  /** Default `normal`. */
  readonly priority?: RequestPriority;
  /** Longest wait in milliseconds; 0: only if there is room now. */
  readonly maxWaitMs?: number;
}

/** Keeps our requests within what an upstream allows. */
export interface RequestBudget {
  /**
   * Waits for room for one request.
   * @throws UpstreamError `retry_after` when there is no room within `maxWaitMs` (default: any wait is accepted).
   */
  acquire(options?: AcquireOptions): Promise<void>;
  /** Lets nothing through for so many seconds, because the upstream said so. */
  pauseFor(seconds: number): void;
  /** Stops its clocks. */
  close(): void;
}

/** Makes the budget of one limit of an upstream; the name is the limit's. */
export type BudgetMaker = (system: UpstreamSystem, name: string, rate: RequestRate) => RequestBudget;

/** The longest pause that an upstream may ask of us: a wild Retry-After must not stop the shop for a day. */
export const MAX_PAUSE_SECONDS = 900;

/** A budget of this process alone: first come first served, whatever the priority. */
export class InProcessRequestBudget implements RequestBudget {
  readonly #window: SlidingWindow;
  readonly #waiters: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly system: UpstreamSystem,
    private readonly name: string,
    private readonly rate: RequestRate,
  ) {
    this.#window = new SlidingWindow(rate.requests, rate.windowSeconds * 1000);
  }

  async acquire({ maxWaitMs = Infinity }: AcquireOptions = {}): Promise<void> {
    const now = performance.now();
    if (this.#waiters.length === 0 && this.#window.tryTake(now)) return;
    const waitMs = this.#window.waitMs(now, this.#waiters.length);
    if (waitMs > maxWaitMs) throw this.#noRoom(waitMs);
    await new Promise<void>((resolve, reject) => {
      let giveUp: NodeJS.Timeout | undefined;
      const proceed = (): void => {
        clearTimeout(giveUp);
        resolve();
      };
      if (Number.isFinite(maxWaitMs)) {
        // A pause may come while we wait and make the wait longer than foreseen.
        giveUp = setTimeout(() => {
          this.#waiters.splice(this.#waiters.indexOf(proceed), 1);
          reject(this.#noRoom(this.#window.waitMs(performance.now(), this.#waiters.length)));
          this.#admit();
        }, maxWaitMs + 1);
      }
      this.#waiters.push(proceed);
      this.#admit();
    });
  }

  pauseFor(seconds: number): void {
    this.#window.pauseUntil(performance.now() + Math.min(seconds, MAX_PAUSE_SECONDS) * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #admit(): void {
    clearTimeout(this.#timer);
    while (this.#waiters.length > 0 && this.#window.tryTake(performance.now())) this.#waiters.shift()?.();
    if (this.#waiters.length === 0) return;
    this.#timer = setTimeout(
      () => {
        this.#admit();
      },
      Math.ceil(this.#window.waitMs(performance.now())),
    );
  }

  #noRoom(waitMs: number): UpstreamError {
    return noRoom(this.system, this.name, usedUp(this.rate), waitMs);
  }
}

/** A budget of this process alone. */
export const inProcessBudget: BudgetMaker = (system, name, rate) => new InProcessRequestBudget(system, name, rate);

/** What a budget says to a request that it does not let through. */
export function noRoom(system: UpstreamSystem, budgetName: string, reason: string, waitMs: number): UpstreamError {
  return new UpstreamError({
    system,
    kind: 'retry_after',
    subject: `request budget "${budgetName}"`,
    reason,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}

/** The reason of a budget that has no room. */
export function usedUp({ requests, windowSeconds }: RequestRate): string {
  return `${requests} requests in ${windowSeconds} s are used up`;
}
