// Compares docs/openapi.json, or the file given, with the document that the program serves; prints the difference and fails when
// there is one. With --write it writes the file. Needs neither a database nor the network.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const options = process.argv.slice(2);
const file = options.find((option) => option !== '--write') ?? join(root, 'docs', 'openapi.json');

execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--if-stale'], { stdio: 'inherit' });
const { openApiDocument } = await import('../dist/dropshipping/openapi/document.js');
const wanted = `${JSON.stringify(openApiDocument, null, 2)}\n`;

if (options.includes('--write')) writeFileSync(file, wanted);
else reportDifference(read(), wanted);

function read() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The lines between the first and the last difference. */
function reportDifference(found, wanted) {
  if (found === wanted) return;
  const before = found.split('\n');
  const after = wanted.split('\n');
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start++;
  let same = 0;
  while (same < shortest - start && before.at(-1 - same) === after.at(-1 - same)) same++;
  const changed = (lines, sign) => lines.slice(start, lines.length - same).map((line) => `${sign}${line}\n`);
  process.stdout.write(`${file}, from line ${start + 1}:\n`);
  process.stdout.write([...changed(before, '-'), ...changed(after, '+')].join(''));
  process.stdout.write('run: node scripts/openapi.mjs --write\n');
  process.exitCode = 1;
}
