import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { reservableStock } from './reservable-stock.queries.js';
import { planSettings, type ProductStock, productStock } from './reservation-plan.rules.js';

/** Tells G2A how much is left. */
@Injectable()
export class AvailableStockService {
  constructor(private readonly config: AppConfig) {}

  /** What can be reserved of these products now, by the rules of a reservation, in this order. */
  async of(manager: EntityManager, g2aProductIds: readonly number[]): Promise<ProductStock[]> {
    const { products, now } = await reservableStock(manager, g2aProductIds);
    const settings = planSettings(this.config, now);
    return g2aProductIds.map((id) => productStock(id, products, settings));
  }
}
