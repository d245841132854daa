// The floors of ARCHITECTURE.md, executable. A folder may import its own files and what its line lists; anything else is an
// error, and so is a cycle. scripts/check-floors.mjs runs this and also checks that every module was read.
const ground = ['config', 'database', 'jobs', 'upstream', 'money', 'observability', 'http-auth'];
const clients = ['cws', 'g2a'];
const second = ['catalog', 'pricing', 'audit', 'alerts'];
const third = ['orders', 'sync', 'control'];

/** folder -> folders that it may import besides itself */
const floors = {
  dropshipping: [...third, ...second, ...ground],
  postbacks: [...third, ...ground],
  status: [...third, ...second, ...ground],
  admin: ['status', ...third, ...second, ...ground],
  cli: ['status', ...third, ...second, ...ground],
  orders: [...second, ...clients, ...ground, 'control'],
  sync: [...second, ...clients, ...ground, 'control'],
  control: [...second, ...ground],
  catalog: ['pricing', 'audit', ...ground],
  pricing: ['money'],
  audit: ground,
  alerts: ground,
  cws: ['upstream', ...ground],
  g2a: ['upstream', ...ground],
  ...Object.fromEntries(ground.map((folder) => [folder, ground])),
  money: [],
};

// Composition: these may import everything, and nothing imports them.
const composition = '^src/(main|cli|demo|app\\.module|data-source)\\.ts$|^src/demo/';

/** Whether the table of floors or the composition on top of it knows this file's place. */
function hasFloor(file) {
  const [top, folder] = file.split('/');
  return top !== 'src' || folder in floors || new RegExp(composition).test(file);
}

/** @type {import('dependency-cruiser').IConfiguration & { hasFloor: typeof hasFloor }} */
module.exports = {
  hasFloor,
  forbidden: [
    ...Object.entries(floors).map(([folder, allowed]) => ({
      name: `floor-of-${folder}`,
      severity: 'error',
      comment: `src/${folder} may import only: ${allowed.join(', ') || 'nothing'}`,
      from: { path: `^src/${folder}/`, pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
    })),
    {
      name: 'composition-is-the-top',
      severity: 'error',
      from: { path: '^src/', pathNot: composition },
      to: { path: composition },
    },
    {
      name: 'sandbox-stands-alone',
      severity: 'error',
      comment: 'what simulates the others must not share our assumptions',
      from: { path: '^sandbox/' },
      to: { path: '^(src|migrations|test|bench)/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: { path: '^(sandbox|test|bench)/' },
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
