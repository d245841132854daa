import { type ChildProcess, fork, spawn } from 'node:child_process';
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

const HOST = resolve(import.meta.dirname, 'command-host.mjs');

/** Processes with the program loaded, waiting for a command. */
const idleHosts: ChildProcess[] = [];

afterAll(() => {
  for (const host of idleHosts.splice(0)) host.disconnect();
});

/**
 * Runs `keyferry <args>` from dist/ to its end, with exactly these variables (and PATH), in a folder without a `.env`. In a
 * process that runs several commands one after the other; two at once have two.
 */
export async function runCommand(environment: Record<string, string>, args: readonly string[]): Promise<CommandAnswer> {
  const host = idleHosts.pop() ?? (await startHost());
  const patience = new AbortController();
  const answered = once(host, 'message', patience) as Promise<[CommandAnswer]>;
  const ended = once(host, 'exit', patience) as Promise<[number | null]>;
  host.send({ args, environment: { PATH: process.env.PATH, ...environment } });
  const [answer] = await Promise.race([answered, ended]);
  patience.abort();
  await Promise.allSettled([answered, ended]);
  if (answer === null || typeof answer === 'number')
    throw new Error(`"${args.join(' ')}" ended its process: ${answer}`);
  idleHosts.push(host);
  return answer;
}

/** Starts it in a process of its own, to be watched or killed. */
export function startCommand(environment: Record<string, string>, args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [resolve('dist/cli.js'), ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const answer = Promise.all([text(child.stdout), text(child.stderr), closed]).then(([stdout, stderr, [code]]) => ({
    code,
    stdout,
    stderr,
  }));
  return { child, answer };
}

async function startHost(): Promise<ChildProcess> {
  const host = fork(HOST, { cwd: tmpdir(), env: { PATH: process.env.PATH }, execArgv: [], stdio: 'inherit' });
  const [ready] = (await once(host, 'message')) as unknown[];
  if (ready !== 'ready') throw new Error(`the process for commands says ${String(ready)}`);
  return host;
}
