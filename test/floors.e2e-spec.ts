import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const script = join(root, 'scripts/check-floors.mjs');

describe('the import floors', () => {
  let tree: string;

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'keyferry-floors-'));
    cpSync(join(root, 'tsconfig.json'), join(tree, 'tsconfig.json'));
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    plant('src/money/cents.ts', `export const one = 1;\n`);
    plant('src/pricing/price.rules.ts', `import { one } from '../money/cents.js';\nexport const price = one;\n`);
  });

  afterEach(() => {
    rmSync(tree, { recursive: true, force: true });
  });

  function plant(file: string, text: string): void {
    mkdirSync(join(tree, file, '..'), { recursive: true });
    writeFileSync(join(tree, file), text);
  }

  function check(): { status: number | null; stderr: string } {
    const { status, stderr } = spawnSync(process.execPath, [script, tree], { encoding: 'utf8' });
    return { status, stderr };
  }

  it('accept an import that goes down', () => {
    expect(check()).toEqual({ status: 0, stderr: '' });
  });

  it('refuse an import that goes up, of a type alone too, a cycle, and a folder that has no floor', () => {
    plant('src/catalog/terms.ts', `export const terms = 1;\nexport type Terms = number;\n`);
    plant('src/pricing/up.rules.ts', `import { terms } from '../catalog/terms.js';\nexport const up = terms;\n`);
    plant(
      'src/pricing/type.rules.ts',
      `import type { Terms } from '../catalog/terms.js';\nexport const up: Terms = 1;\n`,
    );
    plant('src/money/a.ts', `import { b } from './b.js';\nexport const a = (): number => b();\n`);
    plant('src/money/b.ts', `import { a } from './a.js';\nexport const b = (): number => a();\n`);
    plant('src/helpers/misc.ts', `export const misc = 1;\n`);
    const { status, stderr } = check();
    expect(status).toBe(1);
    const told = stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ \(.*/, ''));
    expect(told.sort()).toEqual([
      'floor-of-pricing: src/pricing/type.rules.ts -> src/catalog/terms.ts',
      'floor-of-pricing: src/pricing/up.rules.ts -> src/catalog/terms.ts',
      'no floor: src/helpers/misc.ts',
      'no-cycle: src/money/a.ts -> src/money/b.ts',
    ]);
  });

  it('refuse a tree in which nothing could be read', () => {
    rmSync(join(tree, 'src'), { recursive: true });
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain('no modules found');
  });
});
