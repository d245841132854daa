import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';

const PATIENCE_MILLISECONDS = 1_000;
const REDRAW_MILLISECONDS = 100;
/** Where nobody watches, a sign of life this often. */
const SIGN_OF_LIFE_MILLISECONDS = 10_000;
const INDENT = ' '.repeat(11);

/** What a running step tells about itself. */
export class Step {
  result = '';
  readonly details: string[] = [];
  private done: number | undefined;
  private total: number;
  private unit = 's';
  private readonly startedAt = performance.now();

  constructor(expectedSeconds: number) {
    this.total = expectedSeconds;
  }

  /** Counts instead of watching the clock. */
  isAt(done: number, total: number, unit: string): void {
    this.done = done;
    this.total = total;
    this.unit = unit;
  }

  get elapsedMilliseconds(): number {
    return performance.now() - this.startedAt;
  }

  get progress(): { value: number; total: number; unit: string } {
    // Without a count the clock moves the bar; the last bit stays open until the step is really done.
    const value = this.done ?? Math.min(Math.floor(this.elapsedMilliseconds / 1000), this.total - 1);
    return { value, total: this.total, unit: this.unit };
  }

  /** A count, or how long it has taken so far. */
  get signOfLife(): string {
    if (this.done === undefined) return `${Math.round(this.elapsedMilliseconds / 1000)} s`;
    return `${this.done}/${this.total} ${this.unit}`;
  }
}

/** Prints the demo's steps as ticked lines, with a progress bar while one takes longer than a second and somebody watches. */
export class DemoReport {
  private readonly startedAt = performance.now();
  private readonly out = process.stdout;
  private bar: SingleBar | undefined;

  line(text = ''): void {
    // A bar in the way is drawn anew below.
    this.clearBar();
    this.out.write(`${text}\n`);
  }

  get elapsedSeconds(): string {
    return inSeconds(performance.now() - this.startedAt);
  }

  /** Runs a step and ticks it; one that throws is crossed out, and the error goes on. */
  async step<T>(title: string, expectedSeconds: number, work: (step: Step) => Promise<T>): Promise<T> {
    const step = new Step(expectedSeconds);
    const stopShowing = this.showProgress(title, step);
    try {
      const value = await work(step);
      stopShowing();
      this.tick('✔', 'green', step, title);
      for (const detail of step.details) this.line(`${INDENT}${detail}`);
      return value;
    } catch (error) {
      stopShowing();
      this.tick('✘', 'red', step, title);
      throw error;
    }
  }

  private tick(mark: string, color: 'green' | 'red', step: Step, title: string): void {
    const elapsed = inSeconds(step.elapsedMilliseconds).padStart(5);
    const text = step.result === '' ? title : `${title}: ${step.result}`;
    this.line(`${this.out.isTTY && this.out.hasColors() ? styleText(color, mark) : mark} ${elapsed} s  ${text}`);
  }

  private showProgress(title: string, step: Step): () => void {
    return this.out.isTTY ? this.drawBar(title, step) : this.giveSignsOfLife(title, step);
  }

  private drawBar(title: string, step: Step): () => void {
    const timer = setInterval(() => {
      if (step.elapsedMilliseconds < PATIENCE_MILLISECONDS) return;
      const { value, total, unit } = step.progress;
      if (this.bar === undefined) {
        this.bar = newBar(this.out);
        this.bar.start(total, value, { title, unit });
      }
      this.bar.setTotal(total);
      this.bar.update(value, { unit });
    }, REDRAW_MILLISECONDS);
    return () => {
      clearInterval(timer);
      this.clearBar();
    };
  }

  private clearBar(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private giveSignsOfLife(title: string, step: Step): () => void {
    const timer = setInterval(() => {
      this.line(`${INDENT}${title}: ${step.signOfLife} …`);
    }, SIGN_OF_LIFE_MILLISECONDS);
    return () => {
      clearInterval(timer);
    };
  }
}

function newBar(stream: NodeJS.WritableStream): SingleBar {
  return new SingleBar({
    format: `${INDENT}{title} {bar} {value}/{total} {unit}`,
    stream,
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
    // Signals are ours: the bar must not end the process before the children are stopped.
    gracefulExit: false,
  });
}

/** Milliseconds as seconds with one decimal. */
export function inSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
