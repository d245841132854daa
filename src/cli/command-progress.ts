import { SingleBar } from 'cli-progress';
import { performance } from 'node:perf_hooks';

const PATIENCE_MILLISECONDS = 1_000;

/** A progress bar on stderr that appears when the work takes longer than a second and somebody is watching. */
export class CommandProgress {
  private readonly startedAt = performance.now();
  private bar: SingleBar | undefined;

  /**
   * @param total how many things there are.
   * @param work what is done to what, such as `importing` and `mappings`.
   */
  constructor(
    private readonly total: number,
    private readonly work: { readonly verb: string; readonly noun: string },
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
    const format = `${this.work.verb} {bar} {value}/{total} ${this.work.noun}, {eta} s left`;
    const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true });
    bar.start(this.total, 0);
    return bar;
  }
}
