import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { DataSource, type EntityManager } from 'typeorm';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { AppConfig } from '../config/app-config.js';
import { type ReservableStock, reservableStock } from './reservable-stock.queries.js';
import { planSettings, type ProductStock, productStock } from './reservation-plan.rules.js';

/** How old an answer may be that nobody reserves by, in milliseconds: about as old as what the feed has told. */
const RECENT_MS = 5000;
/** Whoever asks later than that gets what is kept, and has it counted anew for those who come next: nobody waits for what is asked for often. */
const RENEWED_AFTER_MS = 4000;
/** Products whose last answer is kept: a few megabytes. */
const MOST_KEPT = 20_000;
/** Products of one statement. */
const MOST_COUNTED = 100;

const noop = (): void => undefined;

/** Tells G2A how much is left. */
@Injectable()
export class AvailableStockService {
  private readonly settingsAt;
  /** Ends when nothing is being counted; never rejects. */
  private counted: Promise<unknown> = Promise.resolve();
  /** Inventory sizes by product. */
  private readonly kept = new LRUCache<number, number>({ max: MOST_KEPT, ttl: RECENT_MS });
  /** Whoever asks while others are counted is counted with all who ask meanwhile, in one statement. */
  private readonly counting = new DataLoader<number, number>((ids) => this.count(ids), {
    maxBatchSize: MOST_COUNTED,
    batchScheduleFn: (count) => void this.counted.then(count),
  });

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
  ) {
    this.settingsAt = planSettings(config);
  }

  /** What can be reserved of these products now, by the rules of a reservation, in this order. */
  async of(manager: EntityManager, g2aProductIds: readonly number[]): Promise<ProductStock[]> {
    const [stock, rate] = await Promise.all([
      reservableStock(manager, g2aProductIds),
      currentRate(manager, this.config),
    ]);
    return g2aProductIds.map((id) => this.stockOf(id, stock, rate));
  }

  /** Inventory sizes by product, as of at most RECENT_MS ago: inventories are asked for again and again, and the keys cost less than counting anew. */
  async recent(g2aProductIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return new Map(await Promise.all(g2aProductIds.map(async (id) => [id, await this.recentSize(id)] as const)));
  }

  private async recentSize(g2aProductId: number): Promise<number> {
    const size = this.kept.get(g2aProductId);
    if (size === undefined) return this.newSize(g2aProductId);
    // If that fails, the next one who asks tries again, and in the end waits for it.
    if (this.kept.getRemainingTTL(g2aProductId) < RECENT_MS - RENEWED_AFTER_MS) this.newSize(g2aProductId).catch(noop);
    return size;
  }

  private newSize(g2aProductId: number): Promise<number> {
    return this.counting.load(g2aProductId).finally(() => this.counting.clear(g2aProductId));
  }

  /** One statement after the other: counts that nobody waits for must not take all connections. */
  private count(g2aProductIds: readonly number[]): Promise<number[]> {
    const sizes = this.counted.then(() => this.countNow(g2aProductIds));
    this.counted = sizes.catch(noop);
    return sizes;
  }

  private async countNow(g2aProductIds: readonly number[]): Promise<number[]> {
    const start = performance.now();
    const stock = await this.of(this.dataSource.manager, g2aProductIds);
    for (const { g2aProductId, inventorySize } of stock) this.kept.set(g2aProductId, inventorySize, { start });
    return stock.map(({ inventorySize }) => inventorySize);
  }

  private stockOf(
    g2aProductId: number,
    { products, now }: ReservableStock,
    { usable: rate }: CurrentRate,
  ): ProductStock {
    // No cost can be compared with what a sale brings: nothing can be reserved.
    if (rate === null) return { g2aProductId, inventorySize: 0 };
    return productStock(g2aProductId, products, this.settingsAt(now, rate));
  }
}
