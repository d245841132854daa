import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { currentRate } from '../catalog/exchange-rates.queries.js';
import { AppConfig } from '../config/app-config.js';
import { boughtSinceAsked } from '../catalog/stock-holds.queries.js';
import type { Cents } from '../money/cents.js';
import type { ExchangeRate } from '../pricing/exchange-rate.rules.js';
import { CWS_PATIENCE_MS, LiveStockService } from './live-stock.service.js';
import {
  BalanceTooLowError,
  InsufficientStockError,
  NoExchangeRateError,
  ServicePausedError,
  UnprofitableError,
} from './order-errors.js';
import { payableNow } from './committed-money.queries.js';
import { CommittedSince } from './committed-since.rules.js';
import { type ReservableStock, type StockToReserve, stockToReserve } from './reservable-stock.queries.js';
import {
  costAtSuppliers,
  enabledProduct,
  planReservation,
  planSettings,
  type RequestedItem,
  type ReservationPlan,
  suppliersOlderThan,
} from './reservation-plan.rules.js';
import { WatchBalanceService } from './watch-balance.service.js';

/**
 * Plans one reservation. Call it in the transaction that it was given with.
 * @param lock the statement that locks the stock, and returns the CWS ids that it has locked.
 */
export type PlanOnLockedStock = <Item extends RequestedItem>(
  requested: readonly Item[],
  lock: Promise<readonly string[]>,
) => Promise<ReservationPlan<Item>>;

/** Thrown through the transaction, so that nothing stays locked while CWS is asked. */
class SnapshotsTooOldError extends Error {
  /** @param since when they should have been heard of last, epoch milliseconds. */
  constructor(
    readonly cwsProductIds: readonly string[],
    readonly since: number,
  ) {
    super(`${cwsProductIds.length} snapshots are too old`);
  }
}

/** Thrown through the transaction: a supplier became known, or was mapped, after the stock had been locked. */
class StockNotLockedError extends Error {}

/** When CWS is to be asked before a plan counts. */
interface AskFirst {
  readonly maxAgeSeconds: number;
  /** CWS ids that it was asked for already, answered or not; null: it is planned for the first time. */
  readonly asked: readonly string[] | null;
}

/** So often the stock is locked anew for that reason: each time it takes another supplier that became known in that very moment. */
const LOCK_TRIES = 3;

/** Decides what a reservation takes, on supplier states that are recent enough to promise on. */
@Injectable()
export class PlanReservationService {
  private readonly settingsAt;
  private readonly committed = new CommittedSince();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly liveStock: LiveStockService,
    private readonly balance: WatchBalanceService,
  ) {
    this.settingsAt = planSettings(config);
  }

  /**
   * Runs `work` in a transaction. If it plans on snapshots older than RESERVATION_STOCK_MAX_AGE_SECONDS, nothing of it
   * happens, CWS is asked, and it runs again on what is known then, as long as that is younger than STALE_AFTER_SECONDS. The
   * same, once more in what is left of 3 s, before a customer is turned away because of suppliers that were not asked themselves for so long, or of
   * which something was bought since; and, 3 s more, when the account cannot pay for it: somebody may have put money in.
   * @throws what `work` throws; planning throws ServicePausedError, NoExchangeRateError, BalanceTooLowError, and what
   *   planReservation throws.
   */
  async run<T>(work: (manager: EntityManager, plan: PlanOnLockedStock) => Promise<T>): Promise<T> {
    try {
      return await this.runOnFreshStock(work);
    } catch (error) {
      if (!(error instanceof BalanceTooLowError)) throw error;
    }
    // The stock was fresh, or CWS was asked: asking again would take longer than G2A waits.
    await this.balance.refresh();
    return this.runOnLockedStock(work, null);
  }

  private async runOnFreshStock<T>(work: (manager: EntityManager, plan: PlanOnLockedStock) => Promise<T>): Promise<T> {
    const maxAgeSeconds = Math.min(this.config.reservationStockMaxAgeSeconds, this.config.staleAfterSeconds);
    let asked: readonly string[] | null = null;
    let askUntilMs: number | null = null;
    // Once for what is too old, and once more for what would turn the customer away after that.
    for (let questions = 0; questions < 2; questions += 1) {
      try {
        return await this.runOnLockedStock(work, { maxAgeSeconds, asked });
      } catch (error) {
        if (!(error instanceof SnapshotsTooOldError)) throw error;
        askUntilMs ??= performance.now() + CWS_PATIENCE_MS;
        const patienceMs = askUntilMs - performance.now();
        if (patienceMs <= 0) break;
        asked = error.cwsProductIds;
        await this.liveStock.refresh(error.cwsProductIds, { since: error.since, patienceMs });
      }
    }
    return this.runOnLockedStock(work, null);
  }

  private async runOnLockedStock<T>(
    work: (manager: EntityManager, plan: PlanOnLockedStock) => Promise<T>,
    askFirst: AskFirst | null,
  ): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.attempt(work, askFirst);
      } catch (error) {
        if (!(error instanceof StockNotLockedError) || tries === LOCK_TRIES) throw error;
      }
    }
  }

  private attempt<T>(
    work: (manager: EntityManager, plan: PlanOnLockedStock) => Promise<T>,
    askFirst: AskFirst | null,
  ): Promise<T> {
    return inTransaction(this.dataSource, (manager) =>
      work(manager, (requested, lock) => this.plan(manager, requested, lock, askFirst)),
    );
  }

  private async plan<Item extends RequestedItem>(
    manager: EntityManager,
    requested: readonly Item[],
    lock: Promise<readonly string[]>,
    askFirst: AskFirst | null,
  ): Promise<ReservationPlan<Item>> {
    const ids = requested.map((item) => item.g2aProductId);
    // Sent together, executed one after the other: the plan sees what whoever held the lock before has left.
    const [locked, stock, { usable: rate }] = await Promise.all([
      lock,
      stockToReserve(manager, ids),
      currentRate(manager, this.config),
    ]);
    if (stock.isPaused || !this.config.isServiceEnabled) throw new ServicePausedError();
    // Only euros can be compared with what the sale brings.
    if (rate === null) throw new NoExchangeRateError();
    if (askFirst?.asked === null) {
      // CWS is not asked on behalf of what is not sold here.
      for (const id of ids) enabledProduct(id, stock.products);
      // A feed that is not believed vouches for nothing: then every reservation is checked.
      const since = stock.now - (stock.isFeedUnreliable ? 0 : askFirst.maxAgeSeconds * 1000);
      const old = suppliersOlderThan(since, stock.products);
      if (old.length > 0) throw new SnapshotsTooOldError(old, since);
    }
    const planned = await this.planOn(manager, stock, requested, rate, askFirst);
    await this.checkBalance(manager, stock, costAtSuppliers(planned.items, stock.products));
    const taken = planned.items.flatMap((item) => item.allocations.map(({ cwsProductId }) => cwsProductId));
    if (taken.some((cwsProductId) => !locked.includes(cwsProductId))) throw new StockNotLockedError();
    return planned;
  }

  /** @throws BalanceTooLowError when the account cannot pay `cost` on top of what is spoken for. */
  private async checkBalance(manager: EntityManager, { balance, now }: StockToReserve, cost: Cents): Promise<void> {
    if (balance === null) return;
    const isCountDue = this.committed.isCountDue(balance, cost, now);
    const payable = isCountDue ? await payableNow(manager) : balance.payableCents;
    if (payable !== null && cost > payable) throw new BalanceTooLowError();
    this.committed.add(balance, cost);
  }

  private async planOn<Item extends RequestedItem>(
    manager: EntityManager,
    { products, now }: ReservableStock,
    requested: readonly Item[],
    rate: ExchangeRate,
    askFirst: AskFirst | null,
  ): Promise<ReservationPlan<Item>> {
    try {
      return planReservation(requested, products, this.settingsAt(now, rate));
    } catch (error) {
      // G2A switches an offer off whose reservations fail. What the feed has not mentioned, and a piece that was bought a moment ago
      // and may count twice until the next look, must not be the reason.
      const isRefusal = error instanceof InsufficientStockError || error instanceof UnprofitableError;
      if (askFirst === null || !isRefusal) throw error;
      const { maxAgeSeconds, asked } = askFirst;
      const bought = await boughtSinceAsked(manager, [...products.keys()]);
      const since = now - maxAgeSeconds * 1000;
      const silent = suppliersOlderThan(since, products, 'requestedAt').filter((id) => asked?.includes(id) !== true);
      const old = new Set([...bought, ...silent]);
      throw old.size > 0 ? new SnapshotsTooOldError([...old], bought.length > 0 ? now : since) : error;
    }
  }
}
