import { Injectable } from '@nestjs/common';
import { writeAudit } from '../audit/audit-log.js';
import { AppConfig } from '../config/app-config.js';
import { AvailableStockService } from './available-stock.service.js';
import { ReservationNotFoundError, ReservationOrderedError } from './order-errors.js';
import { PlanReservationService } from './plan-reservation.service.js';
import type { ProductStock } from './reservation-plan.rules.js';
import {
  claimAgain,
  deleteReservedHolds,
  extendReservation,
  lockReservation,
  lockStockOfReservation,
  reservationItems,
} from './reservations.queries.js';

/** Gives a reservation a new expiry. */
@Injectable()
export class RenewReservationService {
  constructor(
    private readonly config: AppConfig,
    private readonly planning: PlanReservationService,
    private readonly available: AvailableStockService,
  ) {}

  /**
   * A live reservation keeps its stock and its terms, also during a pause: nothing new is sold. One that has expired is made
   * anew, at today's price and only if there still is stock.
   * @throws ReservationNotFoundError (unknown or released), ReservationOrderedError, and what ReserveStockService throws;
   *   nothing changes then.
   */
  async renew(reservationId: string): Promise<{ stock: readonly ProductStock[] }> {
    const ttlSeconds = this.config.reservationTtlSeconds;
    const stock = await this.planning.run(async (manager, plan) => {
      const state = await lockReservation(manager, reservationId);
      if (state === null || state === 'released') throw new ReservationNotFoundError();
      if (state === 'ordered') throw new ReservationOrderedError();
      // Only with the stock locked can nobody take its pieces between the look at the clock and the new expiry.
      const locked = await lockStockOfReservation(manager, reservationId);

      const isLive = await extendReservation(manager, reservationId, ttlSeconds);
      await writeAudit(manager, 'g2a', [
        { action: 'reservation.renewed', subjectId: reservationId, details: { wasExpired: !isLive } },
      ]);
      const items = await reservationItems(manager, reservationId);
      if (isLive) {
        return this.available.of(
          manager,
          items.map((item) => item.g2aProductId),
        );
      }
      await deleteReservedHolds(manager, reservationId);
      const planned = await plan(items, Promise.resolve(locked));
      await claimAgain(manager, reservationId, planned.items, ttlSeconds);
      return planned.stock;
    });
    return { stock };
  }
}
