import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { writeAudit } from '../audit/audit-log.js';
import { ReservationNotFoundError, ReservationOrderedError } from './order-errors.js';
import { deleteReservedHolds, lockReservation, markReleased } from './reservations.queries.js';

/** Gives a reservation's stock back. */
@Injectable()
export class ReleaseReservationService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Also for one that has expired, whose stock is free already.
   * @throws ReservationNotFoundError (unknown, or released before), ReservationOrderedError; nothing changes then.
   */
  async release(reservationId: string): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      const state = await lockReservation(manager, reservationId);
      if (state === null || state === 'released') throw new ReservationNotFoundError();
      if (state === 'ordered') throw new ReservationOrderedError();
      await deleteReservedHolds(manager, reservationId);
      await markReleased(manager, reservationId);
      await writeAudit(manager, 'g2a', [{ action: 'reservation.released', subjectId: reservationId, details: {} }]);
    });
  }
}
