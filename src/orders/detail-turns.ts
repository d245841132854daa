/** Details of so many purchases are asked for in a second when the history does not tell of them. */
const PER_SECOND = 5;

/** Spreads questions about single purchases, so that many of them do not come at once, and each has its turn. */
export class DetailTurns {
  readonly #askedAtMs = new Map<string, number>();
  #freeAtMs = 0;

  /**
   * Whether this one may be asked about now; true takes the turn. After it the others come first: for as long as it takes to ask about all.
   * @param pending how many there are in all.
   * @param nowMs of a clock that never goes back.
   */
  take(id: string, pending: number, nowMs: number): boolean {
    const roundMs = (pending / PER_SECOND) * 1000;
    const askedAtMs = this.#askedAtMs.get(id);
    if (nowMs < this.#freeAtMs || (askedAtMs !== undefined && nowMs - askedAtMs < roundMs)) return false;
    this.#freeAtMs = nowMs + 1000 / PER_SECOND;
    for (const [other, atMs] of this.#askedAtMs) {
      // In the order of their turns: the first one that counts still is followed by none that does not.
      if (nowMs - atMs < roundMs) break;
      this.#askedAtMs.delete(other);
    }
    this.#askedAtMs.delete(id);
    this.#askedAtMs.set(id, nowMs);
    return true;
  }
}
