import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierOrderSummary } from '../cws/cws.types.js';
import { JobQueue } from '../jobs/job-queue.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { LOOKUP_WAYS } from './purchase-lookup.entity.js';
import { type ConfirmedPurchase, purchasesToTry, recordLookups } from './purchase-sends.queries.js';
import { watchPurchase } from './purchase-watch.queries.js';
import { isOurs, isSameReference } from './supplier-order-match.rules.js';

const INTERVAL_MS = 10_000;
/** Purchases tried in one go; they share one look at the history. */
const BATCH = 20;

/**
 * Tries CWS's look-ups with purchases that are known to exist: what they do not find may only be sent again where they have
 * always found what there was.
 */
@Injectable()
export class TryLookupsService implements OnApplicationBootstrap {
  private readonly logger = new Logger(TryLookupsService.name);
  /** Those that could not be read in this round: they must not keep the others from being tried. */
  private readonly unreadable = new Set<string>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
    private readonly lookUp: LookUpPurchaseService,
    private readonly alerts: AlertsService,
    private readonly jobs: JobQueue,
  ) {}

  /** What a process that died could not try is tried by the next one at once. */
  onApplicationBootstrap(): void {
    void this.tick();
  }

  @Interval(INTERVAL_MS)
  async tick(): Promise<void> {
    try {
      await this.tryThem();
    } catch (error) {
      this.logger.warn(`look-ups could not be tried: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** As old as a purchase is at which its absence would count. */
  async tryThem(ageSeconds = this.config.purchaseResetSettleSeconds): Promise<void> {
    const { manager } = this.dataSource;
    const except = [...this.unreadable];
    const purchases = await purchasesToTry(manager, { ageSeconds, limit: BATCH, except });
    // All others have had their turn.
    if (purchases.length < BATCH) this.unreadable.clear();
    const [oldest] = purchases;
    if (oldest === undefined) return;
    const history = await this.lookUp.history(oldest.createdAt);
    for (const purchase of purchases) {
      try {
        await this.tryOne(purchase, history);
      } catch (error) {
        this.unreadable.add(purchase.id);
        this.logger.warn(
          `look-ups could not be tried with ${purchase.id}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }

  private async tryOne(purchase: ConfirmedPurchase, history: readonly SupplierOrderSummary[]): Promise<void> {
    const { id, clientOrderId, cwsOrderIds } = purchase;
    const { manager } = this.dataSource;
    const direct = await this.cws.order(clientOrderId);
    const listed = history
      .filter((order) => isSameReference(order.clientOrderId, clientOrderId))
      .map(({ cwsOrderId }) => cwsOrderId);
    if (listed.some((cwsOrderId) => !cwsOrderIds.includes(cwsOrderId))) {
      // It was made twice: what the other one brings is fetched.
      await watchPurchase(manager, id);
      await this.jobs.send('poll-purchase', { purchaseId: id });
    }
    const found = {
      by_id: direct !== null && isOurs(purchase, direct),
      by_history: listed.includes(cwsOrderIds[0]),
    };
    await recordLookups(manager, this.config, id, found);
    const missed = LOOKUP_WAYS.filter((way) => !found[way]);
    if (missed.length === 0) return;
    await this.alerts.raise(
      'purchase_lookup_missed',
      '',
      `CWS did not find its order ${cwsOrderIds[0]} (${missed.join(', ')}): a purchase without an answer now always waits for a person`,
    );
  }
}
