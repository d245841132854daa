import { spawn } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerHome } from './data-directory.js';
import { readServerLock } from './lock-file.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { spawnOptions } from './server-account.js';

/** How long a server may take to start, and to stop. */
export const SERVER_DEADLINE_MILLISECONDS = 30_000;
/** Pause between two looks at the lock file. */
export const POLL_MILLISECONDS = 25;

/** Everything that is needed to run a server. */
export interface ServerProgram {
  readonly home: ServerHome;
  readonly binaries: PostgresBinaries;
  /** Receives what the server prints. */
  readonly logFile: string;
  /** PostgreSQL settings by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that is ready, or why it ended before it was. */
export type StartOutcome = { readonly processId: number } | { readonly failure: string };

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // A socket's path may be too long or its folder not writable; nobody needs one.
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Without the details, which would repeat rows (customers' data) in the log.
  log_error_verbosity: 'terse',
};

/**
 * Starts a server on a free loopback port. It has a session of its own and no pipe to us, so it outlives us, and Ctrl-C or SIGTERM to
 * our process group does not reach it.
 * @returns when it is ready for connections, or when it ended, for instance because another process' server was faster.
 */
export async function startServer(program: ServerProgram): Promise<StartOutcome> {
  const { home, binaries, logFile } = program;
  const settings = { ...SETTINGS, ...program.settings, port: String(await freeLoopbackPort()) };
  const log = await open(logFile, 'a', 0o600);
  let end: string | undefined;
  let logStart: number;
  let child: ReturnType<typeof spawn>;
  try {
    logStart = (await log.stat()).size;
    child = spawn(
      binaries.postgres,
      ['-D', home.dataDirectory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...spawnOptions(home.account), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.on('error', (error) => (end = error.message));
    child.on('exit', (code, signal) => (end ??= `it ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`));
    child.unref();
  } finally {
    await log.close();
  }

  const deadline = Date.now() + SERVER_DEADLINE_MILLISECONDS;
  while (end === undefined && Date.now() < deadline) {
    const lock = await readServerLock(home.dataDirectory);
    if (lock !== undefined && lock.processId === child.pid && lock.isReady) return { processId: lock.processId };
    await sleep(POLL_MILLISECONDS);
  }
  return { failure: (await lastFatalLine(logFile, logStart)) ?? end ?? 'it did not get ready in time' };
}

/** Stops a server the fast way (clients are disconnected, data is flushed) and waits until its data directory is free. */
export async function stopServer(processId: number, dataDirectory: string): Promise<void> {
  process.kill(processId, 'SIGINT');
  const deadline = Date.now() + SERVER_DEADLINE_MILLISECONDS;
  while ((await readServerLock(dataDirectory))?.processId === processId) {
    if (Date.now() > deadline) throw new Error(`the server (process ${processId}) does not stop.`);
    await sleep(POLL_MILLISECONDS);
  }
}

async function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free loopback port.'));
        else resolve(address.port);
      });
    });
  });
}

async function lastFatalLine(logFile: string, from: number): Promise<string | undefined> {
  const { size } = await stat(logFile);
  if (size <= from) return undefined;
  const text = (await readFile(logFile)).subarray(from).toString('utf8');
  return text
    .split('\n')
    .filter((line) => /FATAL|PANIC|error while loading/.test(line))
    .at(-1);
}
