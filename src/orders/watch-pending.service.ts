import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { SupplierOrderStatus } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { POLLING_ENDS_AFTER_SECONDS } from './polling.rules.js';
import { pendingPurchases } from './purchases.queries.js';

/** Up to so many are asked for one by one: their codes come with the same answer. */
const FEW = 25;
/** How long one look at the history serves all who ask: half the shortest gap between two questions. */
const SHARED_MS = 1000;

/** Watches many pending purchases with one question: CWS's history tells the state of all. */
@Injectable()
export class WatchPendingService {
  private shared: { readonly askedAtMs: number; readonly states: Promise<Map<string, SupplierOrderStatus>> } | null =
    null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly lookUp: LookUpPurchaseService,
  ) {}

  /**
   * Whether the history says that CWS is still at work on all of these orders. False when it says anything else, is silent about
   * one, cannot be read, or there are only a few pending: then the orders themselves tell more.
   */
  async areStillFulfilling(cwsOrderIds: readonly string[]): Promise<boolean> {
    const { count, oldestAt } = await pendingPurchases(this.dataSource.manager, POLLING_ENDS_AFTER_SECONDS);
    if (count <= FEW || oldestAt === null) return false;
    if (this.shared === null || performance.now() - this.shared.askedAtMs >= SHARED_MS) {
      this.shared = { askedAtMs: performance.now(), states: this.read(oldestAt) };
    }
    try {
      const states = await this.shared.states;
      return cwsOrderIds.every((id) => states.get(id) === 'fulfilling');
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return false;
    }
  }

  private async read(since: Date): Promise<Map<string, SupplierOrderStatus>> {
    const history = await this.lookUp.history(since);
    return new Map(history.map(({ cwsOrderId, status }) => [cwsOrderId, status]));
  }
}
