/**
 * So many refusals without an answer in between are no matter of single products. To find one that alone makes CWS refuse a batch of
 * 75 takes 8 questions, every other one about something else.
 */
const MOST_REFUSED_IN_ROW = 24;

/**
 * Finds out for which products CWS refuses a whole batch, by halves. One that is refused alone is blamed only right after another
 * question was answered: a CWS that refuses everything says nothing about single products.
 */
export class RefusedBatches {
  /** The last one is asked next. */
  private parts: (readonly string[])[] = [];
  /** Refused alone, while nothing else was answered. */
  private suspects: string[] = [];
  private readonly toBlame = new Set<string>();
  private refusedInRow = 0;
  private wasAnswered = false;

  /** What was answered earlier says nothing about now. */
  beginTurn(): void {
    this.wasAnswered = false;
  }

  /** Products to be asked about together; undefined: none of those refused is left to ask. */
  take(): readonly string[] | undefined {
    return this.parts.pop();
  }

  get hasParts(): boolean {
    return this.parts.length > 0;
  }

  /** Whether it is not known yet which of those refused are to blame. */
  get isSearching(): boolean {
    return this.parts.length > 0 || this.suspects.length > 0;
  }

  /** In no other batch: it would be refused for them. */
  get apart(): readonly string[] {
    return [...this.parts.flat(), ...this.suspects, ...this.toBlame];
  }

  /** Those that CWS refuses alone. */
  get blamed(): readonly string[] {
    return [...this.toBlame];
  }

  /** CWS has answered about these, whatever it said. */
  answered(cwsProductIds: readonly string[]): void {
    this.refusedInRow = 0;
    this.wasAnswered = true;
    for (const id of cwsProductIds) this.toBlame.delete(id);
    this.askSuspects();
  }

  /** Whether it must be for its one product that this question is refused. */
  isToBlame(cwsProductIds: readonly string[]): boolean {
    return cwsProductIds.length === 1 && this.wasAnswered;
  }

  blame(cwsProductIds: readonly string[]): void {
    this.suspects = this.suspects.filter((id) => !cwsProductIds.includes(id));
    for (const id of cwsProductIds) this.toBlame.add(id);
  }

  /**
   * A question was refused, and nobody is to blame for it yet.
   * @returns whether CWS refuses everything by now: then nothing of this is asked again.
   */
  refused(cwsProductIds: readonly string[]): boolean {
    this.refusedInRow += 1;
    this.wasAnswered = false;
    if (this.refusedInRow >= MOST_REFUSED_IN_ROW) {
      this.forget();
      return true;
    }
    const middle = Math.ceil(cwsProductIds.length / 2);
    if (cwsProductIds.length === 1) this.suspects.push(...cwsProductIds);
    else this.parts.push(cwsProductIds.slice(middle), cwsProductIds.slice(0, middle));
    return false;
  }

  /** What was refused alone, with nothing answered since. */
  get refusedAlone(): readonly string[] {
    return this.suspects;
  }

  /** They are asked about again, each alone. */
  askSuspects(): void {
    this.parts.push(...this.suspects.map((id) => [id]));
    this.suspects = [];
  }

  /** A new cycle: those to blame are asked about again, each alone; those that are mapped no more are forgotten. */
  askAgain(mapped: ReadonlySet<string>): void {
    for (const id of this.toBlame) {
      if (mapped.has(id)) this.parts.push([id]);
      else this.toBlame.delete(id);
    }
  }

  private forget(): void {
    this.parts = [];
    this.suspects = [];
    this.refusedInRow = 0;
  }
}
