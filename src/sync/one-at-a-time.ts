/** Work that never runs twice at once. */
export class OneAtATime {
  private current: { readonly done: Promise<void>; readonly startedAtMs: number } | null = null;
  private next: Promise<void> | null = null;

  /** @param work must not reject. */
  constructor(private readonly work: () => Promise<void>) {}

  /** A run that begins after this call; calls made while one is under way share the next one. */
  run(): Promise<void> {
    // Also in the moment when one is over and the next has not begun.
    if (this.next !== null) return this.next;
    if (this.current === null) return this.start();
    this.next = this.current.done.then(() => {
      this.next = null;
      return this.start();
    });
    return this.next;
  }

  /** How long the run under way has taken so far, in milliseconds; null when there is none. */
  get runningForMs(): number | null {
    return this.current === null ? null : performance.now() - this.current.startedAtMs;
  }

  /** Resolves when the run under way, and the one that waits for it, are over. */
  async settled(): Promise<void> {
    await (this.next ?? this.current?.done);
  }

  private start(): Promise<void> {
    const done = this.work().finally(() => {
      this.current = null;
    });
    this.current = { done, startedAtMs: performance.now() };
    return done;
  }
}
