import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { mappedAmong } from '../catalog/known-suppliers.queries.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { SyncClockService } from './sync-clock.service.js';

/** Ids in one question: some 3 KB of URL, below the 4 KB that are safe. */
const BATCH = 75;
/** Feed and sweep find the same a little later: not worth a long wait. */
const CALL_LIMITS = { timeoutMs: 5_000, maxWaitMs: 5_000, retries: 1 };

/** Asks CWS at once about products of which somebody says that they have changed. */
@Injectable()
export class FetchProductsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly config: AppConfig,
    private readonly clock: SyncClockService,
  ) {}

  /**
   * Fetches and stores those of the products that a mapping uses. On the replica that leads their offers follow at once, otherwise
   * with its next tick.
   * @param cwsProductIds UUIDs.
   * @throws UpstreamError
   */
  async fetch(cwsProductIds: readonly string[]): Promise<void> {
    const { manager } = this.dataSource;
    if (cwsProductIds.length === 0) return;
    const mapped = await mappedAmong(manager, cwsProductIds);
    for (let start = 0; start < mapped.length; start += BATCH) {
      const batch = mapped.slice(start, start + BATCH);
      await storeSupplierAnswer(manager, batch, priceGuard(this.config), () =>
        this.cws.products({ cwsProductIds: batch }, CALL_LIMITS),
      );
      this.clock.wakeMarket();
    }
  }
}
