import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DemoError } from './demo-error.js';
import { until } from './until.js';

/** A Node program of this project, to be run as a child process. */
export interface Program {
  /** For messages. */
  readonly name: string;
  /** Below dist/. */
  readonly file: string;
  readonly args?: readonly string[];
  /** The whole environment: nothing of ours is passed on, above all no settings of a real installation. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that says `{"listening": url}` when it is ready. */
export interface ServerProgram extends Program {
  /** What it prints is appended. */
  readonly logFile: string;
  /** How it says so: in a line on its standard output, or in a message to its parent. */
  readonly announces: 'line' | 'message';
  /** Called when it is killed with SIGKILL after it was ready, not by us. Without it, that ends the demo as any other death does. */
  readonly whenKilled?: () => void;
}

/** A server that is ready. */
export interface RunningServer {
  readonly url: string;
  readonly processId: number;
}

const START_SECONDS = 30;
/** Longer than the app allows itself to finish what is under way. */
const STOP_MILLISECONDS = 12_000;
const DIST = new URL('../', import.meta.url);
const END_WITH_PARENT = new URL('./end-with-parent.js', import.meta.url).href;

/** The child processes of the demo: none outlives it. */
export class Programs {
  private readonly running: ChildProcess[] = [];
  private readonly stopping = new WeakSet<ChildProcess>();
  private isOver = false;

  /**
   * @param directory working directory of the children; without an `.env`.
   * @param ending aborted by us when a server dies, by others when the demo is to end.
   */
  constructor(
    private readonly directory: string,
    private readonly ending: AbortController,
  ) {}

  /** Starts a server and waits until it is ready. */
  async start(program: ServerProgram): Promise<RunningServer> {
    const log = await open(program.logFile, 'a', 0o600);
    let child: ChildProcess;
    try {
      child = this.fork(program, ['ignore', program.announces === 'line' ? 'pipe' : log.fd, log.fd, 'ipc']);
    } finally {
      await log.close();
    }
    let server: RunningServer | undefined;
    const hear = (announcement: unknown): void => {
      const url = listeningUrl(announcement);
      if (url !== undefined && child.pid !== undefined) server = { url, processId: child.pid };
    };
    child.on('message', hear);
    if (child.stdout !== null) {
      onLine(child.stdout, (line) => {
        hear(parseJson(line));
      });
    }
    child.once('exit', (code, signal) => {
      if (this.isOver || this.stopping.has(child)) return;
      if (signal === 'SIGKILL' && server !== undefined && program.whenKilled !== undefined) {
        program.whenKilled();
        return;
      }
      this.ending.abort(
        new DemoError(`${program.name} ended: ${describeEnd(code, signal)} (its log: ${program.logFile})`),
      );
    });
    return until<RunningServer>(() => (server === undefined ? { saw: 'it is still starting' } : { value: server }), {
      expected: `${program.name} gets ready`,
      seconds: START_SECONDS,
      everyMilliseconds: 10,
      signal: this.ending.signal,
    });
  }

  /**
   * Runs a program to its end, with `seconds` for it.
   * @returns what it printed, by lines.
   * @throws DemoError with what it complained about when it fails.
   */
  async run(program: Program, seconds: number): Promise<string[]> {
    const child = this.fork(program, ['ignore', 'pipe', 'pipe', 'ipc']);
    const lines: string[] = [];
    const complaints: string[] = [];
    if (child.stdout !== null) onLine(child.stdout, (line) => lines.push(line));
    if (child.stderr !== null) onLine(child.stderr, (line) => complaints.push(line));
    let end: { readonly value: string } | undefined;
    // Not "exit": what it printed last may still be on its way then.
    child.once('close', (code, signal) => (end = { value: code === 0 ? '' : describeEnd(code, signal) }));
    try {
      const failure = await until(() => end ?? { saw: `it has printed ${lines.length} lines` }, {
        expected: `${program.name} ends`,
        seconds,
        everyMilliseconds: 10,
        signal: this.ending.signal,
      });
      if (failure !== '') throw new DemoError(`${program.name}: ${complaints.join('\n') || failure}`);
      return lines;
    } finally {
      await this.stop(child);
    }
  }

  /** Ends every child, the last one started first, and waits for it. None can be started any more. */
  async stopAll(): Promise<void> {
    this.isOver = true;
    for (const child of this.running.toReversed()) await this.stop(child);
  }

  private fork({ file, args = [], env = {} }: Program, stdio: StdioOptions): ChildProcess {
    if (this.isOver) throw new DemoError('the demo is ending');
    const child = fork(fileURLToPath(new URL(file, DIST)), args, {
      cwd: this.directory,
      env: { NO_COLOR: '1', ...env },
      execArgv: [...process.execArgv, '--import', END_WITH_PARENT],
      stdio,
      // Ctrl-C reaches the whole process group of the terminal: we end our children ourselves, in order.
      detached: true,
    });
    child.on('error', (error) => {
      this.ending.abort(error);
    });
    this.running.push(child);
    return child;
  }

  private async stop(child: ChildProcess): Promise<void> {
    this.stopping.add(child);
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const end = once(child, 'exit');
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
    await end;
    clearTimeout(patience);
  }
}

function listeningUrl(announcement: unknown): string | undefined {
  if (typeof announcement !== 'object' || announcement === null || !('listening' in announcement)) return undefined;
  return typeof announcement.listening === 'string' ? announcement.listening : undefined;
}

/** A line that is not JSON is no announcement. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function onLine(stream: Readable, hear: (line: string) => void): void {
  createInterface({ input: stream }).on('line', hear);
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit code ${code ?? 'unknown'}`;
}
