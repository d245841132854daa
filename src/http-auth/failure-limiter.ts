/** How many failures are borne. */
export interface FailureLimits {
  /** Failures per window after which an address is turned away. */
  readonly maxFailures: number;
  /** Length of the window, which starts with an address's first failure. */
  readonly windowSeconds: number;
  /** Addresses remembered at most; beyond that the one whose window started first is forgotten. */
  readonly maxAddresses: number;
}

interface FailureWindow {
  readonly endsAtMs: number;
  readonly failures: number;
}

/** Ten wrong guesses a minute: more than a person mistypes, too few to guess a secret. */
export const DEFAULT_FAILURE_LIMITS: FailureLimits = { maxFailures: 10, windowSeconds: 60, maxAddresses: 10_000 };

/**
 * Counts failed logins per address, in this process only: with n replicas a guesser has n times the attempts. What a limited
 * address may still do is for the caller to say: the merchant routes go on taking a right pair, for behind a proxy all callers
 * share one address.
 */
export class FailureLimiter {
  // In insertion order and with one window length for all: the first entry is always the next to end.
  private readonly windows = new Map<string, FailureWindow>();

  /** @param nowMs the clock, in milliseconds; only differences count. */
  constructor(
    private readonly nowMs: () => number,
    private readonly limits: FailureLimits = DEFAULT_FAILURE_LIMITS,
  ) {}

  /** Whole seconds until this address may try again; 0 when it may now. */
  retryAfterSeconds(address: string): number {
    const window = this.openWindow(address);
    if (window === undefined || window.failures < this.limits.maxFailures) return 0;
    return Math.ceil((window.endsAtMs - this.nowMs()) / 1000);
  }

  recordFailure(address: string): void {
    const window = this.openWindow(address);
    if (window === undefined) {
      this.windows.delete(address);
      this.forgetFirst();
      this.windows.set(address, { endsAtMs: this.nowMs() + this.limits.windowSeconds * 1000, failures: 1 });
    } else {
      this.windows.set(address, { ...window, failures: window.failures + 1 });
    }
  }

  private openWindow(address: string): FailureWindow | undefined {
    const window = this.windows.get(address);
    return window !== undefined && window.endsAtMs > this.nowMs() ? window : undefined;
  }

  private forgetFirst(): void {
    if (this.windows.size < this.limits.maxAddresses) return;
    for (const address of this.windows.keys()) {
      this.windows.delete(address);
      return;
    }
  }
}
