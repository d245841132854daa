import { relative } from 'node:path';
import { buyLine } from './demo-customer.js';
import { raisedBands } from './demo-games.js';
import type { DemoReport } from './demo-report.js';
import type { DemoCast } from './demo-setup.js';
import type { DemoStage } from './demo-stage.js';

/** Where everything can be seen. */
export function printPlaces(stage: DemoStage, cast: DemoCast): void {
  const { report } = stage;
  const { app, supplier, marketplace, credentials, databaseShellLine } = cast;
  const { username, password } = credentials.admin;
  printRows(report, [
    ['health', `${app.url}/readyz`],
    ['metrics', `${app.url}/metrics`],
    ['admin', `curl -u ${username}:${password} ${app.url}/admin/status`],
    ['supplier', `${supplier.url}/_sandbox/ledger`],
    ['marketplace', `${marketplace.url}/_sandbox/patches`],
    ['database', databaseShellLine],
    ['log', relative(process.cwd(), stage.logFile('app'))],
  ]);
}

/** What to try while the demo keeps running. */
export function printHints({ report }: DemoStage, cast: DemoCast): void {
  const { app, supplier, marketplace, credentials, games } = cast;
  const game = games.filter(({ quantity }) => quantity >= 2)[3];
  if (game === undefined) return;
  const post = `curl -H 'content-type: application/json'`;
  report.line(`\nTry with "${game.name}"`);
  printRows(report, [
    ['see it', `curl ${marketplace.url}/_sandbox/offers/${game.g2aOfferId}`],
    ['buy it', buyLine(app.url, credentials.client, game.g2aProductId)],
    [
      'new price',
      `${post} ${supplier.url}/_sandbox/products/${game.cwsProductId} -d '${JSON.stringify({ prices: raisedBands(game) })}'`,
    ],
    ['sell out', `${post} ${supplier.url}/_sandbox/products/${game.cwsProductId} -d '{"quantity": 0}'`],
    [
      'slow order',
      `${post} ${supplier.url}/_sandbox/behaviors -d '{"name": "fulfillsAfterSeconds", "seconds": 10, "times": 1}'`,
    ],
  ]);
  report.line('\nThen, while a slow order waits: it is started again, and the key still comes, bought once');
  printRows(report, [['kill it', `kill -9 ${app.processId}`]]);
  report.line('\nMore faults to try: sandbox/README.md. Ctrl-C ends the demo.');
}

function printRows(report: DemoReport, rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, text] of rows) report.line(`  ${name.padEnd(width)}  ${text}`);
}
