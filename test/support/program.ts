import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { validateFetchedAnswers } from './answer-validation.js';

const PROGRAM = resolve(import.meta.dirname, '../../dist/main.js');

/** The built program as a process of its own. */
export interface Program {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  /** Sends the signal and waits for the end; the exit code, null after kill -9. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
}

/** What a start that failed said, and its exit code. */
export class ProgramFailedError extends Error {
  constructor(
    readonly exitCode: number | null,
    readonly output: string,
  ) {
    super(`the program ended with ${exitCode}: ${output}`);
  }
}

/**
 * Starts dist/main.js with exactly these variables (and PATH), in a directory without a `.env`. What the test fetches from its
 * merchant routes is checked against docs/openapi.json.
 * @throws ProgramFailedError when it ends before it listens.
 */
export async function startProgram(environment: Record<string, string>): Promise<Program> {
  const cwd = mkdtempSync(join(tmpdir(), 'keyferry-program-'));
  const child = fork(PROGRAM, {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'close') as Promise<[number | null]>;
  void exited.then(() => {
    rmSync(cwd, { recursive: true, force: true });
  });
  const listening = once(child, 'message') as Promise<[{ listening: string }]>;
  const first = await Promise.race([listening, exited]);
  const [message] = first;
  if (message === null || typeof message === 'number') throw new ProgramFailedError(message, output);
  const endValidation = validateFetchedAnswers(message.listening);
  void exited.then(endValidation);
  return {
    url: message.listening,
    child,
    output: () => output,
    end: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
