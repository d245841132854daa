import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';

const END_WITH_PARENT = new URL('../../bench/support/end-with-parent.mjs', import.meta.url).href;

/**
 * Starts a Node program with exactly this environment (and PATH); its output goes to the log.
 * @param options.imports URLs of modules that it loads before its own.
 * @returns `listening`: resolves to the address that it tells, null when it ended before; `ended`: resolves to its exit code
 *   and signal; `kill(signal)`; `child`.
 */
export function startProcess(file, { args = [], env = {}, imports = [], cwd, logFile }) {
  const log = openSync(logFile, 'a');
  const child = fork(file, args, {
    cwd,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
    execArgv: ['--enable-source-maps', ...[END_WITH_PARENT, ...imports].flatMap((url) => ['--import', url])],
    stdio: ['ignore', 'pipe', log, 'ipc'],
    // Ctrl-C goes to the whole process group: we end our children ourselves, the database last.
    detached: true,
  });
  closeSync(log);
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const told = new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message?.listening === 'string') resolve(message.listening);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      appendFileSync(logFile, `${line}\n`);
      if (line.startsWith('{"listening"')) resolve(JSON.parse(line).listening);
    });
  });
  return {
    child,
    ended,
    listening: Promise.race([told, ended.then(() => null)]),
    kill: (signal) => child.kill(signal),
  };
}
