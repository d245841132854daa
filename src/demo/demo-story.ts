import { type Cents, formatCents } from '../money/cents.js';
import { buyOne, type Sale } from './demo-customer.js';
import { DemoError } from './demo-error.js';
import { costOf, expectedPrice, type Game, raisedBands, settle } from './demo-games.js';
import { inSeconds, type Step } from './demo-report.js';
import type { DemoCast } from './demo-setup.js';
import type { DemoStage } from './demo-stage.js';
import type { LedgerOrder, ShownOffer } from './simulated-api.js';
import { until } from './until.js';

const FIRST_SYNC_SECONDS = 90;
/** Much more than one interval: a slow machine is no failure. */
const CHANGE_SECONDS = 30;
const FULFILLING_SECONDS = 4;
/** For the progress bar: the job of a killed worker starts again within 23.5 s. */
const RESTART_SECONDS = 24;

/**
 * Shows the two flows: supplier to marketplace, customer to key.
 * @param options.killsApp whether the app is killed while the supplier fulfills an order.
 * @throws DemoError for whatever does not happen.
 */
export async function tellStory(stage: DemoStage, cast: DemoCast, options: { killsApp: boolean }): Promise<void> {
  const { report } = stage;
  await report.step('first sync', 6, (step) => showFirstSync(stage, cast, step));

  const [dearer, emptied, slow] = cast.games.filter(({ quantity }) => quantity >= 2);
  if (dearer === undefined || emptied === undefined || slow === undefined) {
    throw new DemoError(`expected three products in stock; seen: ${cast.games.length} mapped products`);
  }
  const dearerNow = await report.step('supplier changes a price and a stock', 3, (step) =>
    showChanges(stage, cast, { dearer, emptied }, step),
  );
  const instantSale = await report.step('a customer buys', 2, (step) => showSale(stage, cast, dearerNow, step));
  const slowSeconds = FULFILLING_SECONDS + (options.killsApp ? RESTART_SECONDS : 2);
  const slowSale = await report.step('a customer buys, the supplier is slow', slowSeconds, async (step) => {
    await cast.supplier.fulfillNextAfter(FULFILLING_SECONDS, slow.cwsProductId);
    const [sale] = await Promise.all([
      showSale(stage, cast, slow, step),
      options.killsApp ? killWhileFulfilling(stage, cast, slow) : undefined,
    ]);
    if (sale.waitedMs < FULFILLING_SECONDS * 1000) {
      throw new DemoError(`expected ${FULFILLING_SECONDS} s of Fulfilling; seen: a key after ${sale.waitedMs} ms`);
    }
    step.result += `, "Fulfilling" for ${FULFILLING_SECONDS} of them`;
    return sale;
  });
  await report.step("supplier's books", 1, async (step) => {
    const sales = [instantSale, slowSale];
    checkBooks(await cast.supplier.orders(), sales);
    step.result = `${sales.length} keys bought, each once, after its order and with a price cap`;
  });
  await report.step('pages', 1, async (step) => {
    await cast.pages.visit('/readyz');
    await cast.pages.visit('/metrics');
    await cast.pages.visit('/admin/status', cast.credentials.admin);
    step.result = '/readyz, /metrics and /admin/status answer';
  });
}

async function showFirstSync({ signal }: DemoStage, { marketplace, games }: DemoCast, step: Step): Promise<void> {
  const pending = new Map(games.map((game) => [game, '']));
  const look = async () => {
    for (const game of pending.keys()) {
      const shown = await marketplace.offer(game.g2aOfferId);
      if (isAsListed(shown, game)) pending.delete(game);
      else pending.set(game, describeOffer(shown));
    }
    step.isAt(games.length - pending.size, games.length, 'offers');
    const [example] = pending;
    if (example === undefined) return { value: undefined };
    return { saw: `${pending.size} offers differ, such as ${example[0].name}: ${example[1]}` };
  };
  await until(look, {
    expected: `${games.length} offers show the supplier's stock at the right price`,
    seconds: FIRST_SYNC_SECONDS,
    everyMilliseconds: 250,
    signal,
  });
  const forSale = games.filter(({ quantity }) => quantity > 0).length;
  step.result = `${forSale} offers for sale on G2A, ${games.length - forSale} out of stock`;
}

/** Changes both at once, to show them in the time of one. @returns the game with its new price. */
async function showChanges(
  { signal }: DemoStage,
  { supplier, marketplace }: DemoCast,
  { dearer, emptied }: { dearer: Game; emptied: Game },
  step: Step,
): Promise<Game> {
  const changed = { dearer: { ...dearer, bands: raisedBands(dearer) }, emptied: { ...emptied, quantity: 0 } };
  const changedAtMs = Date.now();
  const arrival = (game: Game) =>
    until<number>(
      async () => {
        const shown = await marketplace.offer(game.g2aOfferId);
        return isAsListed(shown, game) ? { value: Date.now() - changedAtMs } : { saw: describeOffer(shown) };
      },
      { expected: `${game.name} on G2A: ${describeListing(game)}`, seconds: CHANGE_SECONDS, signal },
    );
  await supplier.change(dearer.cwsProductId, { prices: changed.dearer.bands });
  await supplier.change(emptied.cwsProductId, { quantity: 0 });
  const [priceMs, stockMs] = await Promise.all([arrival(changed.dearer), arrival(changed.emptied)]);

  const [costBefore, cost] = [costOf(dearer), costOf(changed.dearer)];
  step.result = 'both arrived on G2A';
  step.details.push(
    `${dearer.name}: cost ${formatCents(costBefore)} -> ${formatCents(cost)} EUR, on G2A ` +
      `${formatCents(expectedPrice(costBefore))} -> ${formatCents(expectedPrice(cost))} EUR after ${inSeconds(priceMs)} s`,
    `${emptied.name}: ${emptied.quantity} -> 0 pieces, off sale on G2A after ${inSeconds(stockMs)} s`,
  );
  return changed.dearer;
}

async function showSale({ programs }: DemoStage, cast: DemoCast, game: Game, step: Step): Promise<Sale> {
  const { retailCents: paid } = await cast.marketplace.offer(game.g2aOfferId);
  const sale = await buyOne(programs, { appUrl: cast.app.url, client: cast.credentials.client, game, paid });
  const { cost } = findPurchase(await cast.supplier.orders(), sale);
  const { fee, profit, isAsPromised } = settle(paid, cost);
  step.result = `the key of ${game.name} came ${inSeconds(sale.waitedMs)} s after the order`;
  step.details.push(
    `paid ${formatCents(paid)}, G2A's fee ${formatCents(fee)}, cost ${formatCents(cost)}, profit ${formatCents(profit)} EUR`,
    `key  ${sale.key}`,
  );
  if (!isAsPromised) throw new DemoError(`expected the promised profit; seen: ${formatCents(profit)} EUR`);
  return sale;
}

/** What must not cost the customer the key, nor us a second one. */
async function killWhileFulfilling({ signal }: DemoStage, { app, supplier }: DemoCast, game: Game): Promise<void> {
  const isOrdered = async () => {
    const orders = await supplier.orders();
    const lines = orders.flatMap((order) => order.lines);
    return lines.some(({ productId }) => productId === game.cwsProductId) ? { value: undefined } : { saw: 'none' };
  };
  await until(isOrdered, { expected: `an order for ${game.name} at the supplier`, seconds: CHANGE_SECONDS, signal });
  process.kill(app.processId, 'SIGKILL');
}

/** Bought exactly what was sold: each key once, never before its order, never without a cap. */
function checkBooks(orders: readonly LedgerOrder[], sales: readonly Sale[]): void {
  if (orders.length !== sales.length) {
    throw new DemoError(`expected ${sales.length} orders at the supplier; seen: ${orders.length}`);
  }
  for (const sale of sales) findPurchase(orders, sale);
}

/** The one purchase of a sale. @throws DemoError unless there is one, and it is as it must be. */
function findPurchase(orders: readonly LedgerOrder[], { game, key, orderedAtMs }: Sale): { cost: Cents } {
  const purchases = orders.flatMap(({ createdAtMs, lines }) => lines.map((line) => ({ createdAtMs, ...line })));
  const [purchase, ...others] = purchases.filter(({ productId }) => productId === game.cwsProductId);
  const fail = (expected: string, seen: unknown) =>
    new DemoError(`${game.name}: expected ${expected}; seen: ${String(seen)}`);
  if (purchase === undefined || others.length > 0) throw fail('one purchase', others.length);
  const { quantity, codes, capCents, unitCents, createdAtMs } = purchase;
  if (quantity !== 1 || codes.length !== 1) throw fail('one piece', quantity);
  if (codes[0]?.code !== key) throw fail("the supplier's key in the customer's hands", 'another one');
  if (capCents === null || capCents < unitCents) throw fail('a price cap in the purchase', capCents);
  if (createdAtMs < orderedAtMs) throw fail('the purchase after the order', `${orderedAtMs - createdAtMs} ms before`);
  return { cost: unitCents };
}

function isAsListed(shown: ShownOffer, game: Game): boolean {
  if (game.quantity === 0) return !shown.active && shown.size === 0;
  const price = expectedPrice(costOf(game));
  return shown.active && shown.size === game.quantity && shown.retailCents === price && shown.businessCents === price;
}

function describeListing(game: Game): string {
  const price = expectedPrice(costOf(game));
  return describeOffer({ active: game.quantity > 0, size: game.quantity, retailCents: price, businessCents: price });
}

function describeOffer({ active, size, retailCents }: ShownOffer): string {
  return active ? `${size} pieces for ${formatCents(retailCents)} EUR` : `inactive, size ${size}`;
}
