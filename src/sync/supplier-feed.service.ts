import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { deleteSpentHolds } from '../catalog/stock-holds.queries.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import {
  databaseNow,
  mappedSupplierProductIds,
  storeSupplierReports,
  supplierProductsToCheck,
} from '../catalog/supplier-products.queries.js';
import { CwsClient } from '../cws/cws-client.js';
import type { RejectedProduct } from '../cws/cws.types.js';
import { advanceCursor, readCursor } from './sync-cursors.queries.js';

/** Asked for again on every pass: the supplier's clock is not ours, and a change may become visible late. */
const FEED_OVERLAP_SECONDS = 120;
/** Products asked for by id at least this often even when the feed is silent about them: nobody guarantees the feed. */
const SWEEP_MAX_AGE_SECONDS = 60;
/** Products per tick of the sweep; about three requests' worth of ids, well inside CWS's list limit at a 5 s interval. */
const SWEEP_BATCH = 250;

/** Follows CWS's catalog: what changed since the last pass, and a rolling check of the mapped products by id. */
@Injectable()
export class SupplierFeedService {
  private readonly logger = new Logger(SupplierFeedService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Reads what changed since the cursor and stores it. Each page is stored as it arrives, the cursor moves only after the
   * last one: a crash in the middle repeats pages, it never skips one.
   */
  async readFeed(): Promise<void> {
    const { manager } = this.dataSource;
    const startedAt = await databaseNow(manager);
    const position = (await readCursor(manager)) ?? startedAt;
    const mapped = await mappedSupplierProductIds(manager);
    const updatedSince = new Date(position.getTime() - FEED_OVERLAP_SECONDS * 1000);

    for await (const page of this.cws.products({ updatedSince })) {
      await this.reportUnreadable(
        page.rejected.filter(({ cwsProductId }) => cwsProductId === null || mapped.has(cwsProductId)),
      );
      const products = page.products.filter((product) => mapped.has(product.cwsProductId));
      await storeSupplierReports(manager, products, startedAt);
    }
    await advanceCursor(manager, startedAt);
  }

  /**
   * Asks for mapped products by id: those that were never seen first, then the ones not heard of for longest.
   */
  async sweep(): Promise<void> {
    const { manager } = this.dataSource;
    const wanted = await supplierProductsToCheck(manager, { maxAgeSeconds: SWEEP_MAX_AGE_SECONDS, limit: SWEEP_BATCH });
    if (wanted.length === 0) return;
    const { gone, rejected } = await storeSupplierAnswer(manager, wanted, () =>
      this.cws.products({ cwsProductIds: wanted }),
    );
    await this.reportUnreadable(rejected);
    const unreadable = new Set(rejected.map(({ cwsProductId }) => cwsProductId));
    await this.alerts.clear('supplier_product_unreadable', ...wanted.filter((id) => !unreadable.has(id)));
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
