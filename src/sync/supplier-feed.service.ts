import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { deleteSpentHolds } from '../catalog/stock-holds.queries.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard, storeSupplierReports } from '../catalog/store-supplier-reports.js';
import {
  databaseNow,
  mappedSupplierProductIds,
  markSupplierProductsGone,
  supplierProductsToCheck,
} from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { RejectedProduct } from '../cws/cws.types.js';
import { InProcessRequestBudget } from '../upstream/request-budget.js';
import { advanceCursor, readCursor } from './sync-cursors.queries.js';

/** Asked for again on every pass: the supplier's clock is not ours, and a change may become visible late. */
const FEED_OVERLAP_SECONDS = 120;
/** Products asked for by id at least this often even when the feed is silent about them: nobody guarantees the feed. */
const SWEEP_MAX_AGE_SECONDS = 60;
/** Ids in one question: some 3 KB of URL, below the 4 KB that are safe. */
const SWEEP_BATCH = 75;
/** Longest sweep of one round: the feed and the publisher wait for it. */
const SWEEP_SLICE_MS = 5000;
/** What the sweep may use of CWS's list limit; the rest is for the feed, for paid orders and for reservations. */
const SWEEP_SHARE = 0.5;
/** How long the feed waits for room; a round must not stand still. */
const FEED_WAIT_MS = 2000;

/** Follows CWS's catalog: what changed since the last pass, and a rolling check of the mapped products by id. */
@Injectable()
export class SupplierFeedService {
  private readonly logger = new Logger(SupplierFeedService.name);

  private readonly sweepBudget: InProcessRequestBudget;
  private readonly guard;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
    config: AppConfig,
  ) {
    this.guard = priceGuard(config);
    const { requests, windowSeconds } = config.cwsProductsRate;
    const share = { requests: Math.max(1, Math.floor(requests * SWEEP_SHARE)), windowSeconds };
    this.sweepBudget = new InProcessRequestBudget('cws', 'sweep', share);
  }

  /**
   * Reads what changed since the cursor and stores it. Each page is stored as it arrives, the cursor moves only after the
   * last one: a crash in the middle repeats pages, it never skips one.
   * @returns true: CWS was asked.
   */
  async readFeed(): Promise<boolean> {
    const { manager } = this.dataSource;
    const startedAt = await databaseNow(manager);
    const position = (await readCursor(manager)) ?? startedAt;
    const mapped = await mappedSupplierProductIds(manager);
    const updatedSince = new Date(position.getTime() - FEED_OVERLAP_SECONDS * 1000);

    for await (const page of this.cws.products({ updatedSince }, { maxWaitMs: FEED_WAIT_MS })) {
      const unreadable = page.rejected.filter(({ cwsProductId }) => cwsProductId === null || mapped.has(cwsProductId));
      await this.reportUnreadable(unreadable);
      // What is known of it is not true any more, and what is true is not known: it cannot be sold.
      const ids = unreadable.flatMap(({ cwsProductId }) => cwsProductId ?? []);
      await markSupplierProductsGone(manager, ids, startedAt);
      const products = page.products.filter((product) => mapped.has(product.cwsProductId));
      await storeSupplierReports(manager, products, { requestedAt: startedAt, isAskedById: false }, this.guard);
    }
    await advanceCursor(manager, startedAt);
    return true;
  }

  /**
   * Asks for mapped products by id, as far as time and the sweep's share of CWS's limit allow: first those whose changed
   * price it may confirm, then those that were never seen, then the ones not heard of for longest.
   * @returns whether CWS was asked.
   */
  async sweep(): Promise<boolean> {
    const { manager } = this.dataSource;
    const endsAtMs = performance.now() + SWEEP_SLICE_MS;
    const asked: string[] = [];
    for (;;) {
      const wanted = await supplierProductsToCheck(manager, {
        maxAgeSeconds: SWEEP_MAX_AGE_SECONDS,
        confirmAfterSeconds: this.guard.confirmAfterSeconds,
        except: asked,
        limit: SWEEP_BATCH,
      });
      if (wanted.length === 0 || performance.now() >= endsAtMs) return asked.length > 0;
      await this.sweepBudget.acquire({ maxWaitMs: 0 });
      await this.check(wanted);
      asked.push(...wanted);
    }
  }

  private async check(cwsProductIds: readonly string[]): Promise<void> {
    const { gone, rejected } = await storeSupplierAnswer(this.dataSource.manager, cwsProductIds, this.guard, () =>
      this.cws.products({ cwsProductIds }, { maxWaitMs: 0 }),
    );
    await this.reportUnreadable(rejected);
    const unreadable = new Set(rejected.map(({ cwsProductId }) => cwsProductId));
    await this.alerts.clear('supplier_product_unreadable', ...cwsProductIds.filter((id) => !unreadable.has(id)));
    if (gone.length > 0) this.logger.debug(`${gone.length} mapped products are not in CWS's answer`);
  }

  /** Clears away holds that no longer count; that they do not count is decided by the stock view, not here. */
  async forgetSpentHolds(): Promise<void> {
    await deleteSpentHolds(this.dataSource.manager);
  }

  private async reportUnreadable(rejected: readonly RejectedProduct[]): Promise<void> {
    for (const { cwsProductId, reason } of rejected) {
      await this.alerts.raise('supplier_product_unreadable', cwsProductId ?? '', reason);
    }
  }
}
