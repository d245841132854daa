import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../catalog/stock-holds.queries.js';
import { commitWith } from '../database/one-connection.js';
import { AppConfig } from '../config/app-config.js';
import { PlanReservationService } from './plan-reservation.service.js';
import type { ProductStock, RequestedItem } from './reservation-plan.rules.js';
import { insertReservation } from './reservations.queries.js';

/** Claims stock for a customer, all products or none. */
@Injectable()
export class ReserveStockService {
  constructor(
    private readonly config: AppConfig,
    private readonly planning: PlanReservationService,
  ) {}

  /**
   * @throws ServicePausedError, NoExchangeRateError, ProductNotFoundError, InsufficientStockError, UnprofitableError, StockUnknownError,
   *   BalanceTooLowError; nothing is reserved then.
   */
  async reserve(
    requested: readonly RequestedItem[],
  ): Promise<{ reservationId: string; stock: readonly ProductStock[] }> {
    const reservationId = randomUUID();
    const products = requested.map((item) => item.g2aProductId);
    const stock = await this.planning.run(async (manager, plan) => {
      const planned = await plan(requested, lockStock(manager, products));
      commitWith(manager, insertReservation(manager, reservationId, planned.items, this.config.reservationTtlSeconds));
      return planned.stock;
    });
    return { reservationId, stock };
  }
}
