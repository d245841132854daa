import { spawnSync } from 'node:child_process';
import { HEAP_GROWTH_FLAG } from './heap-growth.service.js';

it('has a flag of this V8, which would take no notice of an unknown one', () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(stdout).toMatch(new RegExp(`^ *${HEAP_GROWTH_FLAG} `, 'm'));
});
