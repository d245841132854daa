import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { writeAudit } from '../audit/audit-log.js';
import { markHoldsOwed } from '../catalog/stock-holds.queries.js';
import { mappingStock } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { JobQueue } from '../jobs/job-queue.js';
import {
  G2aOrderIdTakenError,
  OrderExistsError,
  ReservationExpiredError,
  ReservationNotFoundError,
} from './order-errors.js';
import { insertOrder, lockReservation } from './reservations.queries.js';
import type { ProductStock } from './reserve-stock.service.js';
import { totalAvailable } from './total-available.js';

/** Takes a paid order: from here on keys are owed. */
@Injectable()
export class AcceptOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly jobs: JobQueue,
  ) {}

  /**
   * Writes the order and the job that will buy for it in one transaction; buys nothing itself.
   * @throws ReservationNotFoundError (unknown or released), ReservationExpiredError, OrderExistsError (with the order's id for
   *   the same G2A order id), G2aOrderIdTakenError; nothing changes then.
   */
  async accept(order: {
    reservationId: string;
    g2aOrderId: number;
  }): Promise<{ orderId: string; stock: ProductStock[] }> {
    const { reservationId, g2aOrderId } = order;
    const orderId = randomUUID();
    return this.dataSource.transaction(async (manager) => {
      const reservation = await lockReservation(manager, reservationId);
      if (reservation === null || reservation.state === 'released') throw new ReservationNotFoundError();
      if (reservation.orderId !== null) {
        throw new OrderExistsError(reservation.g2aOrderId === g2aOrderId ? reservation.orderId : undefined);
      }
      if (reservation.isExpired) throw new ReservationExpiredError();

      const items = await insertOrder(manager, {
        id: orderId,
        reservationId,
        g2aOrderId,
        deadlineSeconds: this.config.orderPollTimeoutSeconds,
      });
      if (items === null) throw new G2aOrderIdTakenError();
      await markHoldsOwed(
        manager,
        items.map((item) => item.id),
      );
      await writeAudit(manager, 'g2a', [
        { action: 'reservation.ordered', subjectId: reservationId, details: { orderId } },
        { action: 'order.accepted', subjectId: orderId, details: { reservationId, g2aOrderId } },
      ]);
      await this.jobs.send('purchase-order', { orderId }, { manager });
      const stock = await mappingStock(
        manager,
        items.map((item) => item.g2aProductId),
      );
      return { orderId, stock: totalAvailable(items, stock) };
    });
  }
}
