import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { reservableStock, reservableStockOfOrder } from './reservable-stock.queries.js';
import { planSettings, type ProductStock, productStock } from './reservation-plan.rules.js';

/** Tells G2A how much is left. */
@Injectable()
export class AvailableStockService {
  private readonly settingsAt;

  constructor(config: AppConfig) {
    this.settingsAt = planSettings(config);
  }

  /** What can be reserved of these products now, by the rules of a reservation, in this order. */
  async of(manager: EntityManager, g2aProductIds: readonly number[]): Promise<ProductStock[]> {
    const { products, now } = await reservableStock(manager, g2aProductIds);
    return g2aProductIds.map((id) => productStock(id, products, this.settingsAt(now)));
  }

  /** The same for the products of an order, by product; those that are not mapped any more are absent. */
  async ofOrder(manager: EntityManager, orderId: string): Promise<ReadonlyMap<number, ProductStock>> {
    const { products, now } = await reservableStockOfOrder(manager, orderId);
    return new Map([...products.keys()].map((id) => [id, productStock(id, products, this.settingsAt(now))]));
  }
}
