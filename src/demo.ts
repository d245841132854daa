import { once } from 'node:events';
import { relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { whenNpmEnds } from './config/end-of-npm.js';
import { EmbeddedPostgresError } from './database/embedded/embedded-postgres-error.js';
import { DemoError, Interruption } from './demo/demo-error.js';
import { printHints, printPlaces } from './demo/demo-hints.js';
import { DemoReport } from './demo/demo-report.js';
import { setUp } from './demo/demo-setup.js';
import { DemoStage } from './demo/demo-stage.js';
import { tellStory } from './demo/demo-story.js';

interface DemoOptions {
  /** Ends by itself after the last step. */
  readonly once: boolean;
  /** Kills the app while an order is pending. */
  readonly killApp: boolean;
  /** Size of the simulated catalog. */
  readonly products: number;
}

const MIN_PRODUCTS = 10;

/** Shows everything once. @returns whether all of it happened. */
async function runDemo(options: DemoOptions, ending: AbortController): Promise<boolean> {
  const report = new DemoReport();
  report.line('Keyferry, from nothing to a delivered key. Supplier and marketplace are simulated, the rest is real.\n');
  const stage = await DemoStage.prepare(report, ending);
  try {
    const cast = await setUp(stage, options);
    await tellStory(stage, cast, { killsApp: options.killApp });
    report.line(`\nAll of it happened, in ${report.elapsedSeconds} s.`);
    report.line(options.once ? '\nWhere it could be seen (without --once it stays)' : '\nLook at');
    printPlaces(stage, cast);
    if (options.once) return true;
    printHints(stage, cast);
    if (!ending.signal.aborted) await once(ending.signal, 'abort');
    if (!(ending.signal.reason instanceof Interruption)) ending.signal.throwIfAborted();
    return true;
  } catch (error) {
    // What ended the demo may have broken the step in its own way.
    await tellFailure(stage, ending.signal.aborted ? ending.signal.reason : error);
    return false;
  } finally {
    report.line('\nstopping …');
    for (const failure of await stage.clear()) report.line(`while stopping: ${String(failure)}`);
  }
}

async function tellFailure(stage: DemoStage, error: unknown): Promise<void> {
  const { report } = stage;
  if (error instanceof Interruption) {
    report.line(`\nEnded by ${error.message} before everything was shown.`);
    return;
  }
  report.line(`\nIt did not work: ${describe(error)}`);
  const tail = await stage.appLogTail();
  if (tail !== '') report.line(`\nThe end of ${relative(process.cwd(), stage.logFile('app'))}:\n${tail}`);
}

/** The stack only for what the demo did not foresee. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForeseen = error instanceof DemoError || error instanceof EmbeddedPostgresError;
  return isForeseen ? error.message : (error.stack ?? error.message);
}

function readProducts(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < MIN_PRODUCTS) throw new InvalidArgumentError(`At least ${MIN_PRODUCTS}.`);
  return count;
}

const command = new Command('demo')
  .description(
    'Shows Keyferry at work, with a simulated CodesWholesale and a simulated G2A: prices and stock travel from the supplier to the ' +
      'marketplace, and customers buy keys. Reads no configuration and touches no data but its own, in .keyferry/demo.',
  )
  .option('--once', 'end after the last step: with 0 when everything happened, else with 1', false)
  .option('--kill-app', 'kill the app (-9) while an order is pending, and start it again', false)
  .option('--products <count>', 'size of the simulated catalog, of which up to 100 are mapped', readProducts, 1000)
  .parse();

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    ending.abort(new Interruption(signal));
  });
}
whenNpmEnds(() => {
  ending.abort(new Interruption('the end of npm'));
});
// Whoever reads our output went away (npm run demo | head): the children are stopped all the same.
process.stdout.on('error', (error) => {
  ending.abort(error);
});
process.exitCode = (await runDemo(command.opts<DemoOptions>(), ending)) ? 0 : 1;
