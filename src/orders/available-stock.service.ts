import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { AppConfig } from '../config/app-config.js';
import { type ReservableStock, reservableStock, reservableStockOfOrder } from './reservable-stock.queries.js';
import { planSettings, type ProductStock, productStock } from './reservation-plan.rules.js';

/** Tells G2A how much is left. */
@Injectable()
export class AvailableStockService {
  private readonly settingsAt;

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

  /** The same for the products of an order, by product; those that are not mapped any more are absent. */
  async ofOrder(manager: EntityManager, orderId: string): Promise<ReadonlyMap<number, ProductStock>> {
    const [stock, rate] = await Promise.all([
      reservableStockOfOrder(manager, orderId),
      currentRate(manager, this.config),
    ]);
    return new Map([...stock.products.keys()].map((id) => [id, this.stockOf(id, stock, rate)]));
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
