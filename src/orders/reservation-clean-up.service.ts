import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { deleteOldReservations } from './reservations.queries.js';

const INTERVAL_MS = 10 * 60_000;
const BATCH = 500;

/**
 * Deletes reservations that nobody will come back to. Their stock needs no clean-up to be free: expiry counts by the clock in
 * the stock view, and spent holds go with each round of `sync`, which knows the snapshots.
 */
@Injectable()
export class ReservationCleanUpService {
  private readonly logger = new Logger(ReservationCleanUpService.name);

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** In batches of 500, each a transaction of its own. Never rejects: the next run tries again. */
  @Interval(INTERVAL_MS)
  async run(): Promise<void> {
    try {
      while ((await deleteOldReservations(this.dataSource.manager, BATCH)) === BATCH);
    } catch (error) {
      this.logger.warn(`clean-up of reservations failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
