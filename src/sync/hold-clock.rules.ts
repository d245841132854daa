/** When a hold counts as the same one, in milliseconds. */
export interface HoldLimits {
  /** It ends after so long, whatever is to come. */
  readonly longestMs: number;
  /** Looks further apart than this have nothing to do with each other. */
  readonly looksApartMs: number;
  /** It is over when nothing has been to come for so long: a shorter gap between news begins no new one. */
  readonly quietMs: number;
}

/** Bounds how long something waits for what is to come, by looks at whether anything is. */
export class HoldClock {
  private beganAtMs = -Infinity;
  private lookedAtMs = -Infinity;
  /** Since when each look has found nothing to come; Infinity: the last one has not; -Infinity: nothing is known of before. */
  private quietSinceMs = -Infinity;

  constructor(private readonly limits: HoldLimits) {}

  /**
   * One look.
   * @param nowMs monotonic; never less than at the look before.
   * @returns whether to wait.
   */
  isHeld(isMoreToCome: boolean, nowMs: number): boolean {
    const { longestMs, looksApartMs, quietMs } = this.limits;
    if (nowMs - this.lookedAtMs > looksApartMs) this.quietSinceMs = -Infinity;
    const isNew = nowMs - this.quietSinceMs >= quietMs;
    this.lookedAtMs = nowMs;
    if (!isMoreToCome) {
      this.quietSinceMs = Math.min(this.quietSinceMs, nowMs);
      return false;
    }
    this.quietSinceMs = Infinity;
    if (isNew) this.beganAtMs = nowMs;
    return nowMs - this.beganAtMs < longestMs;
  }
}
