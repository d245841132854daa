import { SingleBar } from 'cli-progress';
import { performance } from 'node:perf_hooks';

const PATIENCE_MILLISECONDS = 1_000;

/** A progress bar on stderr that appears when the work takes longer than a second and somebody is watching. */
export class ImportProgress {
  private readonly startedAt = performance.now();
  private bar: SingleBar | undefined;

  /**
   * @param total how many things there are.
   * @param what is done with what: "importing", "mappings".
   */
  constructor(
    private readonly total: number,
    private readonly what: { readonly doing: string; readonly things: string },
  ) {}

  /** @param total when it has turned out to be another. */
  update(done: number, total = this.total): void {
    if (!process.stderr.isTTY || performance.now() - this.startedAt < PATIENCE_MILLISECONDS) return;
    this.bar ??= this.show();
    this.bar.setTotal(total);
    this.bar.update(done);
  }

  stop(): void {
    this.bar?.stop();
  }

  private show(): SingleBar {
    const format = `${this.what.doing} {bar} {value}/{total} ${this.what.things}, {eta} s left`;
    const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true });
    bar.start(this.total, 0);
    return bar;
  }
}
