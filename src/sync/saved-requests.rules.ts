/** Requests that come in evenly and may be saved up: as many as may be saved are there at first. Times are of a clock that never goes back. */
export class SavedRequests {
  private saved = Infinity;
  private savedAtMs = 0;

  /** How many there are at `nowMs`. */
  at(nowMs: number, perSecond: number, most: number): number {
    this.saved = Math.min(most, this.saved + ((nowMs - this.savedAtMs) / 1000) * perSecond);
    this.savedAtMs = nowMs;
    return this.saved;
  }

  take(): void {
    this.saved -= 1;
  }
}
