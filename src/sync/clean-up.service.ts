import { Injectable, Logger } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { deleteOldAlerts } from '../alerts/old-alerts.queries.js';
import { deleteOldNotifications } from './notifications.queries.js';

/** At 3:17 by the machine's clock. */
const NIGHTLY = '17 3 * * *';
const KEPT_DAYS = 90;
const BATCH = 1000;

/** Deletes what would grow for ever and nobody reads any more. What bookkeeping needs stays: see docs/operations.md. */
@Injectable()
export class CleanUpService {
  private readonly logger = new Logger(CleanUpService.name);

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** In batches of 1000, each a transaction of its own; several replicas may do it together. Never rejects: the next night tries again. */
  @Cron(NIGHTLY)
  async run(): Promise<void> {
    try {
      for (const deleteOld of [deleteOldNotifications, deleteOldAlerts])
        while ((await deleteOld(this.dataSource.manager, KEPT_DAYS, BATCH)) === BATCH);
    } catch (error) {
      this.logger.warn(`clean-up failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
