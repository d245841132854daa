import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { JobQueue } from '../jobs/job-queue.js';
import { fulfillingPurchases } from './fulfilling-purchases.queries.js';

/** Has purchases looked at now of which somebody says that there is something new. */
@Injectable()
export class WakePurchasesService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobQueue,
  ) {}

  /** @param references CWS's order ids or our own; those of nothing that CWS is at work on are passed over. */
  async wake(references: readonly string[]): Promise<void> {
    if (references.length === 0) return;
    for (const purchaseId of await fulfillingPurchases(this.dataSource.manager, references)) {
      await this.jobs.send('poll-purchase', { purchaseId });
    }
  }
}
