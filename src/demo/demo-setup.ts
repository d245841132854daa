import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DemoApp } from './demo-app.js';
import { openDemoDatabase } from './demo-database.js';
import { appEnvironment, type DemoCredentials, makeCredentials } from './demo-environment.js';
import { DemoError } from './demo-error.js';
import { type Game, toGame } from './demo-games.js';
import type { DemoStage } from './demo-stage.js';
import type { RunningServer } from './programs.js';
import { KeyferryPages, SANDBOX_CLIENT, SimulatedMarketplace, SimulatedSupplier } from './simulated-api.js';

/** Everything that runs once the demo is set up. */
export interface DemoCast {
  readonly supplier: SimulatedSupplier;
  readonly marketplace: SimulatedMarketplace;
  readonly app: DemoApp;
  /** What people see of the app. */
  readonly pages: KeyferryPages;
  readonly credentials: DemoCredentials;
  /** The mapped games as the supplier lists them at the start. */
  readonly games: readonly Game[];
  /** Shell line that opens the database. */
  readonly databaseShellLine: string;
}

/**
 * Mapped products. Every first offer update is one of G2A's 600 requests a minute, and of those that are not urgent a tenth goes
 * out at once and the rest some ten a second: 100 fit into the demo's half minute, while 1,000 would take nearly two.
 */
const MAPPED_PRODUCTS = 100;
const SEED_SECONDS = 30;

/** Starts the database, the simulated servers and the app, and seeds the mappings. */
export async function setUp(stage: DemoStage, options: { products: number }): Promise<DemoCast> {
  const { report, signal } = stage;
  const credentials = makeCredentials();

  const database = await report.step('database', 4, async (step) => {
    const opened = await openDemoDatabase(stage.directory);
    stage.atEnd(() => opened.close());
    step.result = `embedded PostgreSQL ${opened.serverVersion}, new database ${opened.name}`;
    return opened;
  });

  const { supplier, marketplace, products } = await report.step('supplier and marketplace', 2, async (step) => {
    const [cws, g2a] = await Promise.all([startSandbox(stage, 'cws', options), startSandbox(stage, 'g2a', options)]);
    const supplier = new SimulatedSupplier(cws.url, signal);
    const products = await supplier.products();
    step.result = `both simulated, ${products.length.toLocaleString('en')} products each`;
    return { supplier, marketplace: new SimulatedMarketplace(g2a.url, signal), products };
  });

  const app = await report.step('Keyferry', 3, async (step) => {
    const [databaseUrl, cwsUrl, g2aUrl] = [database.url, supplier.url, marketplace.url];
    const started = await DemoApp.start(stage, appEnvironment({ databaseUrl, cwsUrl, g2aUrl, credentials }));
    step.result = `migrated its database and listens on ${started.url}`;
    return started;
  });

  const games = products.slice(0, MAPPED_PRODUCTS).map(toGame);
  await report.step('mappings', 2, async (step) => {
    await seed(stage, games, database.url);
    step.result = `${games.length} products seeded`;
  });
  const pages = new KeyferryPages(app.url, signal);
  return { supplier, marketplace, app, pages, credentials, games, databaseShellLine: database.shellLine };
}

function startSandbox(
  stage: DemoStage,
  name: 'cws' | 'g2a',
  { products }: { products: number },
): Promise<RunningServer> {
  const signature = name === 'cws' ? ['--client-signature', SANDBOX_CLIENT.signature] : [];
  return stage.programs.start({
    name: name === 'cws' ? 'the simulated supplier' : 'the simulated marketplace',
    file: `sandbox/${name}.js`,
    args: ['--port', '0', '--products', String(products), ...signature],
    logFile: stage.logFile(name),
    announces: 'line',
  });
}

async function seed(stage: DemoStage, games: readonly Game[], databaseUrl: string): Promise<void> {
  const file = join(stage.workDirectory, 'mappings.json');
  const mappings = games.map(({ g2aProductId, cwsProductId }) => ({ g2aProductId, cwsProductIds: [cwsProductId] }));
  await writeFile(file, JSON.stringify(mappings, null, 2));
  const output = await stage.programs.run(
    { name: 'seed', file: 'cli.js', args: ['seed', file, '--json'], env: { DATABASE_URL: databaseUrl } },
    SEED_SECONDS,
  );
  const { created } = JSON.parse(output.join('\n')) as { created: number };
  if (created !== games.length) throw new DemoError(`expected ${games.length} new mappings; seen: ${created}`);
}
