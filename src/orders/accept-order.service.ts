import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AppConfig } from '../config/app-config.js';
import { JobQueue } from '../jobs/job-queue.js';
import { AvailableStockService } from './available-stock.service.js';
import {
  G2aOrderIdTakenError,
  OrderExistsError,
  ReservationExpiredError,
  ReservationNotFoundError,
} from './order-errors.js';
import type { ProductStock } from './reservation-plan.rules.js';
import { insertOrder, lockReservation, lockStockOfReservation, orderOfReservation } from './reservations.queries.js';

/** Takes a paid order: from here on keys are owed. */
@Injectable()
export class AcceptOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly jobs: JobQueue,
    private readonly available: AvailableStockService,
  ) {}

  /**
   * Writes the order and the job that will buy for it in one transaction; buys nothing itself, and asks nobody.
   * @throws ReservationNotFoundError (unknown or released), ReservationExpiredError, OrderExistsError (with the order's id for
   *   the same G2A order id), G2aOrderIdTakenError; nothing changes then.
   */
  async accept(order: {
    reservationId: string;
    g2aOrderId: number;
  }): Promise<{ orderId: string; stock: readonly ProductStock[] }> {
    const { reservationId, g2aOrderId } = order;
    const orderId = randomUUID();
    return inTransaction(this.dataSource, async (manager) => {
      const state = await lockReservation(manager, reservationId);
      if (state === null || state === 'released') throw new ReservationNotFoundError();
      if (state === 'ordered') {
        const existing = await orderOfReservation(manager, reservationId);
        throw new OrderExistsError(existing?.g2aOrderId === g2aOrderId ? existing.id : undefined);
      }
      // Only with the stock locked can nobody take its pieces between the look at the clock and the order.
      await lockStockOfReservation(manager, reservationId);
      const { outcome, g2aProductIds } = await insertOrder(manager, {
        id: orderId,
        reservationId,
        g2aOrderId,
        deadlineSeconds: this.config.orderPollTimeoutSeconds,
      });
      if (outcome === 'reservation_expired') throw new ReservationExpiredError();
      if (outcome === 'g2a_order_id_taken') throw new G2aOrderIdTakenError();
      await this.jobs.send('purchase-order', { orderId }, { manager });
      return { orderId, stock: await this.available.of(manager, g2aProductIds) };
    });
  }
}
