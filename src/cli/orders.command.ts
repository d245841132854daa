import { Command, InvalidArgumentError, Option } from 'commander';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { loadConfig, loadDatabaseConfig } from '../config/config.module.js';
import { orderIdByReference } from '../orders/order-by-reference.js';
import { OrderNotFoundError } from '../orders/order-errors.js';
import { ORDER_STATES, type OrderState } from '../orders/order-state.rules.js';
import { itemsOfOrder, listOrders, orderDossier } from '../orders/order-views.queries.js';
import { unsettledPurchases } from '../orders/reopen-order.queries.js';
import { readItems, readOrder } from '../orders/purchases.queries.js';
import { demandWaiting, ReopenOrderService } from '../orders/reopen-order.service.js';
import { ResolveOrderService } from '../orders/resolve-order.service.js';
import { withDatabase, withJobQueue } from './command-database.js';
import { CommandError } from './failure.js';
import { noteOption } from './note.js';
import { operator } from './operator.js';
import { describeDossier, describeList, describeResolution, describeRetry } from './order-texts.js';
import { ordersExportCommand } from './orders-export.command.js';
import { printJson, printLine } from './output.js';
import { silenceServices } from './silence-services.js';

const MAX_LIMIT = 10_000;
const ORDER_ARGUMENT = "our order's UUID, or G2A's order id";

/** `orders`: what a person does about paid orders. */
export function ordersCommand(): Command {
  return new Command('orders')
    .description('look at paid orders, and decide about those that wait for a person')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand())
    .addCommand(resolveCommand())
    .addCommand(ordersExportCommand());
}

interface ListOptions {
  readonly stuck?: boolean;
  readonly spare?: boolean;
  readonly state?: OrderState;
  readonly limit: number;
  readonly json?: boolean;
}

function listCommand(): Command {
  return new Command('list')
    .description('list orders, the newest first; stuck ones the oldest first')
    .option('--stuck', 'only those that wait for a person, or are unfinished past their deadline')
    .addOption(new Option('--state <state>', 'only those in this state').choices(ORDER_STATES))
    .option('--spare', 'only those with spare keys: paid for, and owed to nobody')
    .option('--limit <number>', `how many at most (1 to ${MAX_LIMIT})`, readLimit, 50)
    .option('--json', 'print the list as JSON')
    .action(list);
}

async function list({ stuck = false, spare = false, state, limit, json = false }: ListOptions): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const orders = await listOrders(dataSource.manager, {
      state: state ?? null,
      isStuck: stuck,
      hasSpareKeys: spare,
      limit,
    });
    if (json) printJson(orders);
    else for (const line of describeList(orders)) printLine(line);
  });
}

function showCommand(): Command {
  return new Command('show')
    .description('show an order with its purchases, keys (never their values) and whole history')
    .argument('<order>', ORDER_ARGUMENT)
    .option('--json', 'print everything as JSON')
    .action(show);
}

async function show(reference: string, { json = false }: { json?: boolean }): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const dossier = await orderDossier(dataSource.manager, await findOrder(dataSource, reference));
    if (dossier === null) throw notFound(reference);
    if (json) printJson(dossier);
    else for (const line of describeDossier(dossier)) printLine(line);
  });
}

const RETRY_MEANING =
  'It looks for the missing keys anew, with a new deadline. Purchases of this order whose outcome is unknown are given up for ' +
  'good: if CWS did make one of them, its key is paid twice. Look for their client order ids (KF-…, see `orders show`) in ' +
  "CWS's panel first. Not while the request of one may still arrive there.";

function retryCommand(): Command {
  return new Command('retry')
    .description(`try again to serve an order that needs attention. ${RETRY_MEANING}`)
    .argument('<order>', ORDER_ARGUMENT)
    .option(
      '--give-up <purchase>',
      'give up a purchase too that CWS has accepted and not delivered by the deadline, by its id or client order id; may be ' +
        'repeated. It is paid: a key that it brings later is kept',
      (purchase: string, earlier: readonly string[]) => [...earlier, purchase],
      [],
    )
    .option('--yes', 'I have looked, and none of its unknown purchases happened')
    .option('--json', 'print the result as JSON')
    .action(retry);
}

interface RetryOptions {
  readonly giveUp: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function retry(reference: string, { giveUp, yes = false, json = false }: RetryOptions): Promise<void> {
  const config = await loadConfig();
  silenceServices();
  await withDatabase(config, async ({ dataSource, url }) => {
    const orderId = await findOrder(dataSource, reference);
    if (!yes) {
      demandWaiting(await readOrder(dataSource.manager, orderId), await readItems(dataSource.manager, orderId));
      const items = await itemsOfOrder(dataSource.manager, orderId);
      const unsettled = await unsettledPurchases(dataSource.manager, orderId, config.purchaseSettleSeconds);
      const purchases = items.flatMap((item) => item.purchases);
      const plan = describeRetry(purchases, giveUp, unsettled);
      const end = unsettled.length === 0 ? 'Nothing was changed: add --yes to do it.' : 'Nothing was changed.';
      throw new CommandError([RETRY_MEANING, ...plan, end].join('\n'));
    }
    let givenUp: readonly string[] = [];
    await withJobQueue(url, async (jobs) => {
      const reopening = new ReopenOrderService(dataSource, config, jobs, new AlertsService(dataSource));
      givenUp = await reopening.reopen(orderId, operator(), giveUp);
    });
    if (json) {
      printJson({ orderId, isReopened: true, givenUpPurchases: givenUp });
      return;
    }
    printLine(`${orderId} is tried again for ${config.orderPollTimeoutSeconds} s`);
    for (const clientOrderId of givenUp) printLine(`  purchase ${clientOrderId} is given up`);
  });
}

interface ResolveOptions {
  readonly deliveredByHand?: boolean;
  readonly refunded?: boolean;
  readonly note: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

function resolveCommand(): Command {
  return new Command('resolve')
    .description(
      'end an order that was settled with the customer: nothing is bought for it any more, and no further key is handed ' +
        'over. CWS is still asked about purchases that may have happened; their keys are kept as spare',
    )
    .argument('<order>', ORDER_ARGUMENT)
    .addOption(new Option('--delivered-by-hand', 'the customer got the keys from you').conflicts('refunded'))
    .option('--refunded', 'the customer got the money back')
    .addOption(noteOption('what was done, for the history'))
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--json', 'print the result as JSON')
    .action(resolve);
}

async function resolve(reference: string, options: ResolveOptions): Promise<void> {
  const { deliveredByHand = false, refunded = false, note, dryRun = false, json = false } = options;
  if (!deliveredByHand && !refunded) throw new CommandError('Say how: --delivered-by-hand or --refunded.');
  silenceServices();
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const orderId = await findOrder(dataSource, reference);
    const outcome = await new ResolveOrderService(dataSource, new AlertsService(dataSource)).resolve(orderId, {
      resolution: refunded ? 'refunded' : 'delivered_by_hand',
      note,
      actor: operator(),
      isDryRun: dryRun,
    });
    if (json) printJson({ orderId, isDryRun: dryRun, ...outcome });
    else for (const line of describeResolution(orderId, outcome, dryRun)) printLine(line);
  });
}

async function findOrder(dataSource: DataSource, reference: string): Promise<string> {
  try {
    return await orderIdByReference(dataSource.manager, reference);
  } catch (error) {
    throw error instanceof OrderNotFoundError ? notFound(reference) : error;
  }
}

function notFound(reference: string): CommandError {
  return new CommandError(`There is no order ${reference}: give ${ORDER_ARGUMENT}.`);
}

function readLimit(value: string): number {
  const limit = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidArgumentError(`expected a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}
