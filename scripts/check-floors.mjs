// Checks the import floors (see .dependency-cruiser.cjs) of src, sandbox and migrations, or of the tree given as the first
// argument. Fails on a violation, and when fewer modules were read than exist: a cruiser that reads nothing finds nothing.
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import config from '../.dependency-cruiser.cjs';

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
process.chdir(root);

const folders = ['src', 'sandbox', 'migrations'];
const existing = folders.flatMap((folder) => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
});

if (existing.length === 0) {
  process.stderr.write('no modules found\n');
  process.exit(1);
}

const { output } = await cruise(
  folders.filter((folder) => existing.some((file) => file.startsWith(`${folder}/`))),
  { ...config.options, ruleSet: { forbidden: config.forbidden }, validate: true },
  {},
  { tsConfig: extractTSConfig('tsconfig.json') },
);

const read = new Set(output.modules.map((module) => module.source));
const unread = existing.filter((file) => !read.has(file));
const violations = output.summary.violations.filter((violation) => violation.rule.severity === 'error');
for (const { rule, from, to, comment } of violations) {
  process.stderr.write(`${rule.name}: ${from} -> ${to}${comment === undefined ? '' : ` (${comment})`}\n`);
}
for (const file of unread) process.stderr.write(`not read: ${file}\n`);
const homeless = existing.filter((file) => !config.hasFloor(file));
for (const file of homeless) process.stderr.write(`no floor: ${file} (a new folder needs its line in the table)\n`);
if (violations.length > 0 || unread.length > 0 || homeless.length > 0) process.exit(1);
process.stdout.write(`floors hold: ${read.size} modules read, ${existing.length} of ours\n`);
