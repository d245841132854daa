import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** The operating system user that the server runs as. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

const execute = promisify(execFile);

/** The environment of PostgreSQL's programs: none of ours, so that neither a locale nor a PG* variable can change what they do. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

/** Options that make a child process run as the account (as ourselves when undefined), wherever we were started from. */
export function spawnOptions(account: ServerAccount | undefined): {
  uid?: number;
  gid?: number;
  cwd: string;
  env: NodeJS.ProcessEnv;
} {
  return { ...account, cwd: '/', env: ENVIRONMENT };
}

/** Runs a program to its end. @throws with its error output in the message. */
export async function runAs(account: ServerAccount | undefined, program: string, args: string[]): Promise<void> {
  await execute(program, args, spawnOptions(account));
}

/** PostgreSQL refuses to run as root, so root has to lend it another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The user for a new server when we are root: `postgres`, else `nobody`. Both are in the passwd file, which initdb demands.
 * @throws when neither exists.
 */
export async function accountForRoot(): Promise<ServerAccount> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number.parseInt((await execute('id', [flag, name])).stdout, 10)),
      );
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // No such user: try the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as.');
}

/** The user that owns a path: a server keeps running as the user that it was created with. */
export async function ownerOf(path: string): Promise<ServerAccount> {
  const { uid, gid } = await stat(path);
  return { uid, gid };
}

/** Whether the account may enter the directory, which needs the search permission of every parent as well. */
export async function canEnter(account: ServerAccount, directory: string): Promise<boolean> {
  for (let path = await realpath(directory); ; path = dirname(path)) {
    const { uid, gid, mode } = await stat(path);
    const searchBit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & searchBit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
