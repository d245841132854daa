// Compiles src, migrations and sandbox into dist/. With --if-stale it compiles only when a source is newer than the last
// build, and accepts an existing build when the compiler is not installed (devDependencies left out at run time).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'dist', '.built');
const projects = ['tsconfig.build.json', 'migrations/tsconfig.json', 'sandbox/tsconfig.json'];

function newestSource() {
  let newest = 0;
  for (const folder of ['src', 'migrations', 'sandbox']) {
    if (!existsSync(join(root, folder))) continue;
    // A folder is as new as the last file that was added or removed.
    newest = Math.max(newest, statSync(join(root, folder)).mtimeMs);
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      newest = Math.max(newest, statSync(path).mtimeMs);
    }
  }
  for (const file of [...projects, 'tsconfig.json']) {
    if (existsSync(join(root, file))) newest = Math.max(newest, statSync(join(root, file)).mtimeMs);
  }
  return newest;
}

/** Removes what sources that are gone have left behind: a migration that was taken away must not run. */
function removeOrphans() {
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const output = relative(join(root, 'dist'), join(entry.parentPath, entry.name));
    const isOwnFolder = output.startsWith(`migrations${sep}`) || output.startsWith(`sandbox${sep}`);
    const source = join(root, isOwnFolder ? '' : 'src', output.replace(/\.js$/, '.ts'));
    if (!existsSync(source)) rmSync(join(root, 'dist', output));
  }
}

function compiler() {
  try {
    const { resolve } = createRequire(import.meta.url);
    // Without devDependencies some library may still bring the compiler along, but not the types that our sources need.
    resolve('@types/node/package.json');
    return resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

const ifStale = process.argv.includes('--if-stale');
const built = existsSync(stamp);
const tsc = compiler();

if (ifStale && built && (tsc === undefined || statSync(stamp).mtimeMs >= newestSource())) process.exit(0);
if (tsc === undefined) {
  process.stderr.write(
    'Keyferry is not built and the TypeScript compiler is not installed. Run "npm ci && npm run build" first; ' +
      'devDependencies may be left out afterwards.\n',
  );
  process.exit(1);
}

const startedAt = new Date();
if (!ifStale) rmSync(join(root, 'dist'), { recursive: true, force: true });
else if (built) removeOrphans();
process.stderr.write('building …\n');
// Side by side: none needs another's output.
const codes = await Promise.all(
  projects.map(async (project) => {
    const compiling = spawn(process.execPath, [tsc, '-p', join(root, project)], { cwd: root, stdio: 'inherit' });
    const [code] = await once(compiling, 'close');
    return code;
  }),
);
if (codes.some((code) => code !== 0)) process.exit(1);
writeFileSync(stamp, `${startedAt.toISOString()}\n`);
process.stderr.write(`built in ${((Date.now() - startedAt.getTime()) / 1000).toFixed(1)} s\n`);
