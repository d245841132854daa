import { SlidingWindow } from './sliding-window.rules.js';
import { UpstreamError, type UpstreamSystem } from './upstream-error.js';

/** A rate such as 400 requests in 600 s. */
export interface RequestRate {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Keeps our requests within what an upstream allows. */
export interface RequestBudget {
  /**
   * Waits for room for one request, first come first served.
   * @throws UpstreamError `retry_after` when there is no room within `maxWaitMs` (default: any wait is accepted).
   */
  acquire(options?: { maxWaitMs?: number }): Promise<void>;
  /** Lets nothing through for so many seconds, because the upstream said so. */
  pauseFor(seconds: number): void;
}

/** The longest pause that an upstream may ask of us: a wild Retry-After must not stop the shop for a day. */
const MAX_PAUSE_SECONDS = 900;

/** A budget of this process alone. */
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

  async acquire({ maxWaitMs = Infinity }: { maxWaitMs?: number } = {}): Promise<void> {
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
    return new UpstreamError({
      system: this.system,
      kind: 'retry_after',
      subject: `request budget "${this.name}"`,
      reason: `${this.rate.requests} requests in ${this.rate.windowSeconds} s are used up`,
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    });
  }
}
