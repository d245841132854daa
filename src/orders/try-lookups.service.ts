import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { LOOKUP_WAYS } from './purchase-lookup.entity.js';
import { purchasesToTry, recordLookups } from './purchase-sends.queries.js';

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

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
    private readonly lookUp: LookUpPurchaseService,
    private readonly alerts: AlertsService,
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
    const purchases = await purchasesToTry(manager, { ageSeconds, limit: BATCH });
    const [oldest] = purchases;
    if (oldest === undefined) return;
    const history = await this.lookUp.history(oldest.createdAt);
    for (const { id, clientOrderId, cwsOrderId } of purchases) {
      const found = {
        by_id: (await this.cws.order(clientOrderId))?.clientOrderId === clientOrderId,
        by_history: history.some(
          (listed) => listed.cwsOrderId === cwsOrderId && listed.clientOrderId === clientOrderId,
        ),
      };
      await recordLookups(manager, id, found);
      const missed = LOOKUP_WAYS.filter((way) => !found[way]);
      if (missed.length === 0) continue;
      await this.alerts.raise(
        'purchase_lookup_missed',
        '',
        `CWS did not find its order ${cwsOrderId} (${missed.join(', ')}): a purchase without an answer now always waits for a person`,
      );
    }
  }
}
