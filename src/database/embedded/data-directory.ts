import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from './embedded-postgres-error.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { accountForRoot, canEnter, isRoot, ownerOf, runAs, type ServerAccount } from './server-account.js';

/** Where a server's data is and who runs it. */
export interface ServerHome {
  readonly dataDirectory: string;
  /** Undefined when the server runs as ourselves. */
  readonly account: ServerAccount | undefined;
}

/** The superuser of the embedded server. */
export const SERVER_USER = 'keyferry';

const NOTE = 'postgres-data-location.txt';

/**
 * Finds the server's data, or the place for it: inside the project's state directory, except that root's helper account may not be
 * able to enter that. Then it is below `sharedDirectory`, and a note in the state directory says where.
 * @param directory the state directory; exists.
 * @param password tells one project's place below `sharedDirectory` from another's: whoever deletes the state directory to begin
 * anew gets a new password and so a new place, not old data with a password that is lost.
 * @throws when data that should be there is missing or out of reach, because starting empty would hide the loss of orders and keys.
 */
export async function locateServerHome(
  directory: string,
  password: string,
  sharedDirectory: string,
): Promise<ServerHome> {
  const local = join(await realpath(directory), 'postgres');
  if (!isRoot()) return { dataDirectory: local, account: undefined };

  if (await isInitialized(local)) {
    const account = await ownerOf(local);
    if (await canEnter(account, dirname(local))) return { dataDirectory: local, account };
    throw new Error(
      `the user ${account.uid}, who owns the data in ${local}, can no longer enter that folder's parents.`,
    );
  }

  const noted = await readNote(directory);
  if (noted !== undefined) {
    if (await isInitialized(noted)) return { dataDirectory: noted, account: await ownerOf(noted) };
    throw new Error(
      `there is no data in ${noted}. If it is lost, delete ${directory} to begin with an empty database.`,
    );
  }

  const account = await accountForRoot();
  if (await canEnter(account, directory)) return { dataDirectory: local, account };
  const id = createHash('sha256').update(password).digest('hex').slice(0, 12);
  const place = join(sharedDirectory, id);
  for (const path of [sharedDirectory, place]) {
    await mkdir(path, { recursive: true });
    await chmod(path, 0o755);
  }
  return { dataDirectory: join(await realpath(place), 'postgres'), account };
}

/** Says where the data went. Written once the data exists, so that a note without data always means a loss. */
export async function writeNote(directory: string, { dataDirectory }: ServerHome): Promise<void> {
  if (dirname(dataDirectory) === (await realpath(directory))) return;
  await writeFile(
    join(directory, NOTE),
    `${dataDirectory}\n\n` +
      'PostgreSQL does not run as root, and the user that runs it instead cannot enter this folder, so its data is in the folder\n' +
      'named above. Keyferry reads this note: keep the two together. To delete the data, delete both.\n',
  );
}

async function readNote(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, NOTE), 'utf8')).split('\n', 1)[0];
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Creates the data directory unless it exists. It appears complete or not at all: initdb works in a temporary folder that is
 * renamed at the end, so of several processes that do this at once one wins and the others throw their own work away.
 * @param isDurable false skips the flush to disk (tests).
 */
export async function initializeDataDirectory(
  { dataDirectory, account }: ServerHome,
  binaries: PostgresBinaries,
  password: string,
  isDurable: boolean,
): Promise<void> {
  if (await isInitialized(dataDirectory)) return;
  const work = await mkdtemp(join(dirname(dataDirectory), 'initdb-'));
  try {
    const unfinished = join(work, 'data');
    const passwordFile = join(work, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined) {
      await chown(passwordFile, account.uid, account.gid);
      await chown(work, account.uid, account.gid);
    }
    await runAs(account, binaries.initdb, [
      `--pgdata=${unfinished}`,
      `--username=${SERVER_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own C.UTF-8: the same on every operating system, whatever locales are installed.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(isDurable ? [] : ['--no-sync']),
    ]);
    await rename(unfinished, dataDirectory);
  } catch (error) {
    if (!(await isInitialized(dataDirectory))) throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @throws when we may not look: that is not the same as "no". */
async function isInitialized(dataDirectory: string): Promise<boolean> {
  try {
    await stat(join(dataDirectory, 'PG_VERSION'));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
