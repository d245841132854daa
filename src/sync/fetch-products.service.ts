import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { mappedAmong } from '../catalog/known-suppliers.queries.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { RequestBudget } from '../upstream/request-budget.js';
import { sharedBudgets } from '../upstream/shared-budgets.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { SyncClockService } from './sync-clock.service.js';

/** Ids in one question: some 3 KB of URL, below the 4 KB that are safe. */
const BATCH = 75;
/** Feed and sweep find the same a little later: not worth any wait, and not what they need. */
const CALL_LIMITS: CallLimits = { priority: 'spare', timeoutMs: 5_000, maxWaitMs: 0, retries: 1 };
/** What all replicas together may use of CWS's list limit. */
const SHARE = 0.1;

/** Asks CWS at once about products of which somebody says that they have changed. */
@Injectable()
export class FetchProductsService implements OnModuleDestroy {
  private readonly budget: RequestBudget;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly config: AppConfig,
    private readonly clock: SyncClockService,
  ) {
    const { requests, windowSeconds } = config.cwsProductsRate;
    const share = { requests: Math.max(1, Math.floor(requests * SHARE)), windowSeconds };
    this.budget = sharedBudgets(dataSource)('cws', 'postbacks', share);
  }

  onModuleDestroy(): void {
    this.budget.close();
  }

  /** Those of these products that are worth a question. */
  mapped(cwsProductIds: readonly string[]): Promise<readonly string[]> {
    return mappedAmong(this.dataSource.manager, cwsProductIds);
  }

  /**
   * Fetches and stores products. On the replica that leads their offers follow at once, otherwise with its next tick.
   * @param cwsProductIds of mapped products.
   * @returns those that CWS did not tell about, though it may: there is no room in this service's share of its limit, or in the limit;
   *   or it did not answer.
   * @throws UpstreamError
   */
  async fetch(cwsProductIds: readonly string[]): Promise<readonly string[]> {
    for (let start = 0; start < cwsProductIds.length; start += BATCH) {
      if (!(await this.ask(cwsProductIds.slice(start, start + BATCH)))) return cwsProductIds.slice(start);
      this.clock.wakeMarket();
    }
    return [];
  }

  /** @returns false when it is worth another try. */
  private async ask(cwsProductIds: readonly string[]): Promise<boolean> {
    try {
      await this.budget.acquire({ maxWaitMs: 0 });
      await storeSupplierAnswer(this.dataSource.manager, cwsProductIds, priceGuard(this.config), () =>
        this.cws.products({ cwsProductIds }, CALL_LIMITS),
      );
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.isRetryable) return false;
      throw error;
    }
  }
}
