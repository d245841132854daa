import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { AppConfig } from '../config/app-config.js';
import type { SupplierOrderSummary } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { hasShownHistory, noteHistory } from './purchase-lookups.queries.js';
import { hasPrefix } from './supplier-order-match.rules.js';
import { clientOrderIdPrefix, databaseServer, noteUnmatched, openUnmatched } from './unmatched-orders.queries.js';

/** How far back CWS's history is compared with ours: further than a back-up is likely to be old. */
const HISTORY_DAYS = 14;
const DAY_MS = 86_400_000;
const AGAIN_MS = 600_000;
const HTTP_NOT_FOUND = 404;

/**
 * Finds out whether this database is older than what CWS has sold to it, restored from a back-up for example: then CWS has orders
 * under references of ours that it does not know or says were never sent; buying for them again would pay twice. Orders under other references, made by
 * hand or by other tools, are nobody's business here.
 */
@Injectable()
export class MatchSupplierOrdersService implements OnApplicationBootstrap {
  private readonly logger = new Logger(MatchSupplierOrdersService.name);
  /** The last one that held buying up until it was made, and of which database. */
  private comparison: { readonly server: string; readonly isDone: Promise<boolean> } | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly lookUp: LookUpPurchaseService,
    private readonly alerts: AlertsService,
  ) {}

  onApplicationBootstrap(): void {
    // Not waited for: the program serves reservations whether or not CWS answers.
    void this.hasCompared().catch(() => undefined);
  }

  /** A restore in place is not seen in the connection: compared again every ten minutes. Never rejects. */
  @Interval(AGAIN_MS)
  async compareAgain(): Promise<void> {
    if (this.comparison !== null) await this.tryToCompare();
  }

  /** Whether purchases may be made. */
  async mayBuy(): Promise<boolean> {
    return (await this.obstacle()) === null;
  }

  /** Why no purchase may be made, for a person; null: nothing stands against it. */
  async obstacle(): Promise<string | null> {
    if (!(await this.hasCompared()))
      return 'CWS did not tell what it has sold, with which this database must be compared';
    const isHeldUp = (await openUnmatched(this.dataSource.manager)).length > 0;
    return isHeldUp
      ? 'CWS has orders of this installation that its database does not know, or says were never sent'
      : null;
  }

  /** Compared since the start, and with the database that is there now: after a restart or a failover it may be an older one. */
  private async hasCompared(): Promise<boolean> {
    const server = await databaseServer(this.dataSource.manager);
    if (this.comparison?.server !== server) this.comparison = { server, isDone: this.tryToCompare() };
    const { comparison } = this;
    const isDone = await comparison.isDone;
    // Asked again when the next purchase is due.
    if (!isDone && this.comparison === comparison) this.comparison = null;
    return isDone;
  }

  private async tryToCompare(): Promise<boolean> {
    try {
      const history = await this.readHistory();
      if (history !== null) await this.compare(history);
      return true;
    } catch (error) {
      this.logger.warn(
        `CWS's orders could not be compared with ours: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    }
  }

  /**
   * @returns null: this account has no history, and never had one, by CWS's own word; that of a gateway in between is no `rejected`.
   *   Then nothing can be found out.
   * @throws UpstreamError also when an account that has shown one before has none now: that is trouble, and passes.
   */
  private async readHistory(): Promise<SupplierOrderSummary[] | null> {
    const { manager } = this.dataSource;
    try {
      const history = await this.lookUp.history(new Date(Date.now() - HISTORY_DAYS * DAY_MS));
      await noteHistory(manager, this.config);
      return history;
    } catch (error) {
      const hasNone = error instanceof UpstreamError && error.kind === 'rejected' && error.status === HTTP_NOT_FOUND;
      if (!hasNone || (await hasShownHistory(manager, this.config))) throw error;
      this.logger.warn('CWS shows no order history: a database restored from a back-up would not be noticed');
      return null;
    }
  }

  private async compare(history: readonly SupplierOrderSummary[]): Promise<void> {
    const { manager } = this.dataSource;
    const prefix = await clientOrderIdPrefix(manager);
    // Whatever CWS lists was committed here before it was sent, so it is in the database by now.
    const ours = history.flatMap((order) =>
      hasPrefix(order.clientOrderId, prefix) ? [{ ...order, clientOrderId: order.clientOrderId }] : [],
    );
    const open = await noteUnmatched(manager, ours);
    if (open > 0) {
      await this.alerts.raise(
        'supplier_orders_unmatched',
        '',
        `CWS has ${open} orders of this installation that its database does not know, or says were never sent; was it restored from a back-up? Nothing is bought until each is looked into`,
      );
    } else {
      await this.alerts.clear('supplier_orders_unmatched');
    }
  }
}
