import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { deleteSpentHolds } from '../catalog/stock-holds.queries.js';
import { priceGuard, storeSupplierReports } from '../catalog/store-supplier-reports.js';
import {
  databaseNow,
  mappedSupplierProductIds,
  markSupplierProductsGone,
} from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { ProductPage, SupplierProduct } from '../cws/cws.types.js';
import { inTransaction } from '../database/one-connection.js';
import { type FeedVerdicts, judgeFeed, VERDICT_WINDOW_SECONDS } from './feed-trust.rules.js';
import { advanceCursor, feedState, type FeedState } from './sync-cursors.queries.js';
import { judgeUnannounced, markAnnounced } from './unannounced-changes.queries.js';

/** Asked for again on every pass: the supplier's clock is not ours, and a change may become visible late. */
const OVERLAP_SECONDS = 120;
/** A feed that is not believed is read only this often, to find out whether it mends; the requests are the sweep's. */
const UNRELIABLE_INTERVAL_SECONDS = 30;
/** How long it waits for room; a round must not stand still. */
const WAIT_MS = 2000;

/** Follows CWS's catalog by what it says has changed. */
@Injectable()
export class FeedService {
  private readonly guard;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
    config: AppConfig,
  ) {
    this.guard = priceGuard(config);
  }

  /**
   * Reads what changed since the cursor. Each page is stored as it arrives; the cursor moves in one transaction with the last
   * one: a crash in the middle repeats pages, it never skips one.
   * @returns whether CWS was asked.
   */
  async readFeed(): Promise<boolean> {
    const { manager } = this.dataSource;
    const startedAt = await databaseNow(manager);
    const state = await feedState(manager);
    if (isToRest(state, startedAt)) return false;
    const mapped = await mappedSupplierProductIds(manager);
    const position = state?.position ?? startedAt;
    const updatedSince = new Date(position.getTime() - OVERLAP_SECONDS * 1000);

    let products: SupplierProduct[] = [];
    for await (const page of this.cws.products({ updatedSince }, { priority: 'background', maxWaitMs: WAIT_MS })) {
      await this.store(manager, products, startedAt);
      await this.stopUnreadable(page, mapped, startedAt);
      products = page.products.filter(({ cwsProductId }) => mapped.has(cwsProductId));
    }
    await this.finish(products, startedAt, state?.unreliableSince ?? null);
    return true;
  }

  /** Clears away holds that no longer count; that they do not count is decided by the stock view, not here. */
  async forgetSpentHolds(): Promise<void> {
    await deleteSpentHolds(this.dataSource.manager);
  }

  private async finish(
    products: readonly SupplierProduct[],
    startedAt: Date,
    wasUnreliableSince: Date | null,
  ): Promise<void> {
    const unreliableSince = await inTransaction(this.dataSource, async (manager) => {
      await this.store(manager, products, startedAt);
      const verdicts = await judgeUnannounced(manager, startedAt);
      const since = judgeFeed(verdicts, wasUnreliableSince, startedAt);
      await advanceCursor(manager, startedAt, since);
      if (since !== null) await this.alerts.raise('feed_unreliable', '', describe(verdicts), manager);
      return since;
    });
    if (unreliableSince === null) await this.alerts.clear('feed_unreliable');
  }

  // Supplier rows are locked before the rows of what they announce, as whoever asks for products does.
  private async store(manager: EntityManager, products: readonly SupplierProduct[], requestedAt: Date): Promise<void> {
    if (products.length === 0) return;
    await storeSupplierReports(manager, products, { requestedAt, isAskedById: false }, this.guard);
    await markAnnounced(
      manager,
      products.map(({ cwsProductId }) => cwsProductId),
    );
  }

  // What is known of an unreadable product is not true any more, and what is true is not known: it cannot be sold.
  private async stopUnreadable(page: ProductPage, mapped: ReadonlySet<string>, requestedAt: Date): Promise<void> {
    const unreadable = page.rejected.filter(({ cwsProductId }) => cwsProductId === null || mapped.has(cwsProductId));
    for (const { cwsProductId, reason } of unreadable) {
      await this.alerts.raise('supplier_product_unreadable', cwsProductId ?? '', reason);
    }
    const ids = unreadable.flatMap(({ cwsProductId }) => cwsProductId ?? []);
    await markSupplierProductsGone(this.dataSource.manager, ids, requestedAt);
  }
}

function isToRest(state: FeedState | null, now: Date): boolean {
  if (state === null || state.unreliableSince === null) return false;
  return now.getTime() - state.passStartedAt.getTime() < UNRELIABLE_INTERVAL_SECONDS * 1000;
}

function describe({ missed, judged }: FeedVerdicts): string {
  return (
    `CWS's feed has kept ${missed} of ${judged} changes to itself that we found within ${VERDICT_WINDOW_SECONDS / 60} ` +
    'minutes by asking for products by id: it is not believed for now'
  );
}
