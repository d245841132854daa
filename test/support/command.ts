import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a command answered. */
export interface CommandAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the built program while it runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly answer: Promise<CommandAnswer>;
}

/** Starts `keyferry <args>` from dist/ with exactly these variables (and PATH), in a folder without a `.env`. */
export function startCommand(environment: Record<string, string>, args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [resolve('dist/cli.js'), ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...environment },
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const answer = Promise.all([text(child.stdout), text(child.stderr), closed]).then(([stdout, stderr, [code]]) => ({
    code,
    stdout,
    stderr,
  }));
  return { child, answer };
}

/** Runs it to its end. */
export async function runCommand(environment: Record<string, string>, args: readonly string[]): Promise<CommandAnswer> {
  return startCommand(environment, args).answer;
}
