/**
 * At most `requests` requests in every window of `windowMs`, wherever the window is laid. Holds one time per request of
 * the window; times are milliseconds of a clock that never goes back.
 */
export class SlidingWindow {
  readonly #times: number[];
  #oldest = 0;
  #pausedUntil = -Infinity;

  constructor(
    requests: number,
    private readonly windowMs: number,
  ) {
    if (!Number.isInteger(requests) || requests < 1 || !(windowMs > 0)) {
      throw new RangeError(`a rate needs at least one request and a window, not ${requests} in ${windowMs} ms`);
    }
    this.#times = new Array<number>(requests).fill(-Infinity);
  }

  /** Takes room for one request at `now`; false when there is none. */
  tryTake(now: number): boolean {
    if (this.waitMs(now) > 0) return false;
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
    return true;
  }

  /** Milliseconds from `now` until there is room, if `ahead` other requests go first; 0 when there is room. */
  waitMs(now: number, ahead = 0): number {
    const freed = this.#times[(this.#oldest + ahead) % this.#times.length] ?? -Infinity;
    const wholeWindows = Math.floor(ahead / this.#times.length) * this.windowMs;
    const start = Math.max(now, this.#pausedUntil);
    return Math.max(start, freed + this.windowMs) + wholeWindows - now;
  }

  /** No request before `time`. A pause is never shortened. */
  pauseUntil(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, time);
  }
}
