import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { STATE_DIRECTORY } from '../database/database-server.js';
import type { DemoReport } from './demo-report.js';
import { Programs } from './programs.js';

const LOG_TAIL_LINES = 15;
const LOGS = ['app', 'cws', 'g2a'] as const;

/** What the demo runs on, and what it has to clear away at its end. */
export class DemoStage {
  private readonly cleanups: (() => Promise<void>)[] = [];

  private constructor(
    readonly report: DemoReport,
    readonly programs: Programs,
    private readonly ending: AbortController,
    /** The database server's place and the logs'. */
    readonly directory: string,
    /** Where the children work, out of reach of the project's `.env`. */
    readonly workDirectory: string,
  ) {}

  static async prepare(report: DemoReport, ending: AbortController): Promise<DemoStage> {
    const directory = resolve(STATE_DIRECTORY, 'demo');
    const workDirectory = join(directory, 'work');
    await mkdir(workDirectory, { recursive: true });
    const stage = new DemoStage(report, new Programs(workDirectory, ending), ending, directory, workDirectory);
    for (const name of LOGS) await writeFile(stage.logFile(name), '', { mode: 0o600 });
    return stage;
  }

  /** Aborted when the demo has to end. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** Ends the demo from outside its steps. */
  fail(error: unknown): void {
    this.ending.abort(error);
  }

  /** Path of a log; empty at the start of the demo. */
  logFile(name: (typeof LOGS)[number]): string {
    return join(this.directory, `${name}.log`);
  }

  /** The last lines of the app's log, for a person who wants to know why. */
  async appLogTail(): Promise<string> {
    const log = await readFile(this.logFile('app'), 'utf8').catch(() => '');
    return log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }

  /** Registers something to be undone; what was done last is undone first. */
  atEnd(cleanup: () => Promise<void>): void {
    this.cleanups.push(cleanup);
  }

  /** Stops every child and undoes everything, however much of it fails. @returns what failed. */
  async clear(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const cleanup of [...this.cleanups, () => this.programs.stopAll()].toReversed()) {
      await cleanup().catch((error: unknown) => failures.push(error));
    }
    return failures;
  }
}
