import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { mappedAmong } from '../catalog/known-suppliers.queries.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { SavedRequests } from './saved-requests.rules.js';
import { SyncClockService } from './sync-clock.service.js';

/** Ids in one question: some 3 KB of URL, below the 4 KB that are safe. */
const BATCH = 75;
/** Feed and sweep find the same a little later: not worth any wait, and not what they need. */
const CALL_LIMITS: CallLimits = { priority: 'spare', timeoutMs: 5_000, maxWaitMs: 0, retries: 1 };
/** What may be used of CWS's list limit, and how much of that may be saved up. */
const SHARE = 0.1;
const SAVED_SHARE = 0.05;

/** Asks CWS at once about products of which somebody says that they have changed. */
@Injectable()
export class FetchProductsService {
  private readonly requests = new SavedRequests();

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
   * @returns those that were not asked about, for there is no room in this service's share of CWS's limit, or in the limit.
   * @throws UpstreamError
   */
  async fetch(cwsProductIds: readonly string[]): Promise<readonly string[]> {
    if (cwsProductIds.length === 0 || !this.hasRoom()) return cwsProductIds;
    const { manager } = this.dataSource;
    const mapped = await mappedAmong(manager, cwsProductIds);
    for (let start = 0; start < mapped.length; start += BATCH) {
      const batch = mapped.slice(start, start + BATCH);
      if (!this.hasRoom() || !(await this.ask(batch))) return mapped.slice(start);
      this.clock.wakeMarket();
    }
    return [];
  }

  private hasRoom(): boolean {
    const { requests, windowSeconds } = this.config.cwsProductsRate;
    const most = Math.max(1, requests * SAVED_SHARE);
    return this.requests.at(performance.now(), (requests / windowSeconds) * SHARE, most) >= 1;
  }

  /** @returns false when CWS's limit has no room. */
  private async ask(cwsProductIds: readonly string[]): Promise<boolean> {
    this.requests.take();
    try {
      await storeSupplierAnswer(this.dataSource.manager, cwsProductIds, priceGuard(this.config), () =>
        this.cws.products({ cwsProductIds }, CALL_LIMITS),
      );
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'retry_after') return false;
      throw error;
    }
  }
}
