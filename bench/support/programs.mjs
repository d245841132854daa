import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { clearTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url).href;
const START_LIMIT_MS = 60_000;
/** Longer than the program allows itself to finish what is under way. */
const STOP_LIMIT_MS = 15_000;

/**
 * Starts a Node program and waits until it says `{"listening": url}`, in a message or in a line on its standard output.
 * @param options.env the whole environment but PATH: nothing of ours reaches it.
 * @returns url, pid and stop().
 * @throws Error with the end of its log when it ends before it listens.
 */
export async function startProgram(file, { args = [], env = {}, execArgv = [], cwd, logFile }) {
  const log = openSync(logFile, 'a');
  const child = fork(file, args, {
    cwd,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
    execArgv: ['--import', END_WITH_PARENT, ...execArgv],
    stdio: ['ignore', 'pipe', log, 'ipc'],
    // Ctrl-C goes to the whole process group: we end our children ourselves, the database last.
    detached: true,
  });
  const listening = new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message?.listening === 'string') resolve(message.listening);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"listening"')) resolve(JSON.parse(line).listening);
    });
  });
  const exited = once(child, 'exit');
  const url = await Promise.race([listening, exited.then(() => null), sleep(START_LIMIT_MS, null, { ref: false })]);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(patience);
  };
  if (url !== null) return { url, pid: child.pid, stop };
  await stop();
  throw new Error(`${file} did not start:\n${endOfLog(logFile)}`);
}

/** Runs a Node program to its end. @throws Error with what it complained about when it fails. */
export async function runProgram(file, { args, env, cwd }) {
  const child = fork(file, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit code ${code}\n${complaints}`);
}

/** What a program complained about last. */
export function endOfLog(logFile) {
  return readFileSync(logFile, 'utf8').slice(-2_000);
}
