import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { AppConfig } from '../config/app-config.js';
import { type ReservableStock, reservableStock } from './reservable-stock.queries.js';
import { planSettings, type ProductStock, productStock } from './reservation-plan.rules.js';

/** How old an answer may be that nobody reserves by, in milliseconds: about as old as what the feed has told. */
const RECENT_MS = 5000;
/** Products whose last answer is kept: a few megabytes. */
const MOST_KEPT = 20_000;

/** Tells G2A how much is left. */
@Injectable()
export class AvailableStockService {
  private readonly settingsAt;
  private readonly kept = new Map<number, { readonly size: number; readonly atMs: number }>();

  constructor(private readonly config: AppConfig) {
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
  async recent(manager: EntityManager, g2aProductIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const nowMs = performance.now();
    const sizes = new Map<number, number>();
    for (const id of g2aProductIds) {
      const kept = this.kept.get(id);
      if (kept !== undefined && kept.atMs > nowMs - RECENT_MS) sizes.set(id, kept.size);
    }
    const unknown = g2aProductIds.filter((id) => !sizes.has(id));
    if (unknown.length === 0) return sizes;
    if (this.kept.size > MOST_KEPT) this.kept.clear();
    for (const { g2aProductId, inventorySize: size } of await this.of(manager, unknown)) {
      sizes.set(g2aProductId, size);
      this.kept.set(g2aProductId, { size, atMs: nowMs });
    }
    return sizes;
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
