import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './embedded-postgres-error.js';

/** What a running server says about itself in postmaster.pid. */
export interface ServerLock {
  readonly processId: number;
  /** Undefined while the server is so young that it has not written it. */
  readonly port: number | undefined;
  readonly isReady: boolean;
}

/**
 * Reads `postmaster.pid` (its lines: PostgreSQL's src/include/utils/pidfile.h).
 * @returns undefined when there is none, or it is being written.
 */
export async function readServerLock(dataDirectory: string): Promise<ServerLock | undefined> {
  let lines: string[];
  try {
    lines = (await readFile(lockFile(dataDirectory), 'utf8')).split('\n');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const [processId, , , port, , , , status] = lines;
  if (!processId || !/^\d+$/.test(processId)) return undefined;
  return {
    processId: Number(processId),
    port: port ? Number(port) : undefined,
    isReady: status?.trim() === 'ready',
  };
}

/**
 * Whether the process named in the lock file is a server on this data directory. `reused`: the server is dead, and its process id
 * belongs to another process of the same user.
 */
export async function lockHolder(lock: ServerLock, dataDirectory: string): Promise<'server' | 'dead' | 'reused'> {
  try {
    process.kill(lock.processId, 0);
  } catch {
    // EPERM is another user's process, thus not our server; PostgreSQL judges the same.
    return 'dead';
  }
  if (process.platform !== 'linux') return 'server';
  try {
    // A server enters its data directory before it writes the lock file.
    const workingDirectory = await readlink(`/proc/${lock.processId}/cwd`);
    return workingDirectory === (await realpath(dataDirectory)) ? 'server' : 'reused';
  } catch (error) {
    return hasCode(error, 'ENOENT') ? 'dead' : 'server';
  }
}

/**
 * Removes the lock file of a dead server whose process id was reused, usual in a container that was restarted: PostgreSQL would take
 * that process for a server and refuse to start. Should another server begin right now, PostgreSQL's second lock, on shared memory,
 * still keeps two servers from the same data.
 */
export async function removeReusedLock(lock: ServerLock, dataDirectory: string): Promise<void> {
  if ((await readServerLock(dataDirectory))?.processId === lock.processId) {
    await rm(lockFile(dataDirectory), { force: true });
  }
}

function lockFile(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid');
}
