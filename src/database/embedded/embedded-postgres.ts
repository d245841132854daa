import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { initializeDataDirectory, locateServerHome, SERVER_USER, writeNote } from './data-directory.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { lockHolder, readServerLock, removeReusedLock } from './lock-file.js';
import { readOrCreatePassword } from './password-file.js';
import { prepareBinaries } from './postgres-binaries.js';
import { NotOurServerError, Presence } from './presence.js';
import {
  POLL_MILLISECONDS,
  SERVER_DEADLINE_MILLISECONDS,
  startServer,
  stopServer,
  type ServerProgram,
} from './server-process.js';

export interface EmbeddedPostgresOptions {
  /** Folder for the password, the log and the data, created if missing. One server per folder. */
  directory: string;
  /** Created if missing. Default `keyferry`. */
  database?: string;
  /** PostgreSQL settings by name; they count only for the one who starts the server. `fsync: 'off'` also makes initdb faster. */
  serverSettings?: Record<string, string>;
  /**
   * Where root keeps data and programs when the user that runs the server for it cannot enter `directory` or node_modules. Must be
   * durable, and its parents open to everybody. Default `/var/lib/keyferry`.
   */
  sharedDirectory?: string;
  /** Receives what happens, one sentence per call, without secrets. */
  log?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** Connection URL of the database. Contains the password: never log it. */
  readonly url: string;
  /** False when the server ran already: started by another process, or left by one that was killed. */
  readonly startedByUs: boolean;
  /**
   * Leaves the server; the last one to leave stops it and waits for its end. Close your own connections first: an open one counts as
   * another user, and the server is left running. Further calls return the first one's result.
   */
  release(): Promise<void>;
}

/** A port taken between our look and the server's start, or a dead server's last processes, pass within a few attempts. */
const MAX_FAILED_STARTS = 10;
const RESTART_PAUSE_MILLISECONDS = 200;

/**
 * Attaches to the embedded PostgreSQL server of a folder, and starts (and first creates) it if there is none. Any number of
 * processes may do so at once and share it.
 * @throws EmbeddedPostgresError, within a minute: a server may take 30 s to get ready, and we wait 30 s for one that is stopping.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await openServer(options);
  } catch (error) {
    throw new EmbeddedPostgresError(error);
  }
}

async function openServer(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { database = 'keyferry', serverSettings = {}, sharedDirectory = '/var/lib/keyferry' } = options;
  const log = options.log ?? (() => undefined);
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true });
  const password = await readOrCreatePassword(join(directory, 'postgres-password'));
  const home = await locateServerHome(directory, password, sharedDirectory);
  const binaries = await prepareBinaries(home.account, home.account === undefined ? directory : sharedDirectory);
  await initializeDataDirectory(home, binaries, password, serverSettings['fsync'] !== 'off');
  await writeNote(directory, home);

  const logFile = join(directory, 'postgres.log');
  const { presence, processId, port, startedByUs } = await joinServer(
    { home, binaries, logFile, settings: serverSettings },
    password,
  );
  const leave = async (): Promise<void> => {
    // Lost: the server went down under us. If it is back, we may still be the one who has to stop it.
    const rejoin = async (): Promise<JoinedServer | undefined> =>
      joinIfServing(home.dataDirectory, password).catch(() => undefined);
    const current = presence.isAlive ? { presence, processId } : await rejoin();
    await current?.presence.leave(async () => {
      log('stopping the embedded PostgreSQL server, nobody uses it any more');
      await stopServer(current.processId, home.dataDirectory);
    });
  };
  try {
    await presence.createDatabaseIfMissing(database);
  } catch (error) {
    await leave();
    throw error;
  }
  log(`${startedByUs ? 'started' : 'attached to'} the embedded PostgreSQL server on port ${port}, its log: ${logFile}`);

  let released: Promise<void> | undefined;
  return {
    url: `postgres://${SERVER_USER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    startedByUs,
    release: () => (released ??= leave()),
  };
}

interface JoinedServer {
  readonly presence: Presence;
  readonly processId: number;
  readonly port: number;
}

async function joinServer(program: ServerProgram, password: string): Promise<JoinedServer & { startedByUs: boolean }> {
  const { dataDirectory } = program.home;
  const deadline = Date.now() + SERVER_DEADLINE_MILLISECONDS;
  let ourProcessId: number | undefined;
  let failedStarts = 0;
  let reason = 'it did not get ready';
  while (Date.now() < deadline && failedStarts < MAX_FAILED_STARTS) {
    try {
      const joined = await joinIfServing(dataDirectory, password);
      if (joined !== undefined) return { ...joined, startedByUs: joined.processId === ourProcessId };
    } catch (error) {
      if (error instanceof NotOurServerError) throw error;
      // It is starting or stopping, or just died.
      reason = error instanceof Error ? error.message : String(error);
    }
    if (await isFree(dataDirectory)) {
      const outcome = await startServer(program);
      if ('processId' in outcome) {
        ourProcessId = outcome.processId;
        continue;
      }
      reason = outcome.failure;
      // Not our failure when another process' server was faster.
      if (await isFree(dataDirectory)) {
        failedStarts += 1;
        await sleep(RESTART_PAUSE_MILLISECONDS);
      }
    }
    await sleep(POLL_MILLISECONDS);
  }
  throw new Error(`${reason} (its log: ${program.logFile})`);
}

/** Registers with the server if one is ready on this data. @throws when it cannot be joined now, NotOurServerError when never. */
async function joinIfServing(dataDirectory: string, password: string): Promise<JoinedServer | undefined> {
  const lock = await readServerLock(dataDirectory);
  if (lock?.port === undefined || !lock.isReady || (await lockHolder(lock, dataDirectory)) !== 'server')
    return undefined;
  const { port, processId } = lock;
  return { presence: await Presence.enter(port, password, dataDirectory), processId, port };
}

/** Whether a server could be started: none holds the data directory. */
async function isFree(dataDirectory: string): Promise<boolean> {
  const lock = await readServerLock(dataDirectory);
  if (lock === undefined) return true;
  const holder = await lockHolder(lock, dataDirectory);
  if (holder === 'reused') await removeReusedLock(lock, dataDirectory);
  return holder !== 'server';
}
