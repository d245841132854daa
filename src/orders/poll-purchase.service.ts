import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierOrder } from '../cws/cws.types.js';
import { JobQueue } from '../jobs/job-queue.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { PURCHASE_TRANSITIONS } from './order-state.rules.js';
import { pollGapSeconds, POLLING_ENDS_AFTER_SECONDS } from './polling.rules.js';
import { countPoll, type PurchaseProgress, readPurchase } from './purchases.queries.js';
import { SettlePurchaseService } from './settle-purchase.service.js';

/** An intent this young may still be on its way: its worker writes the outcome. */
const INTENT_SETTLES_SECONDS = 20;
/** CWS's clock is not ours: the history is asked for with an hour of room on both sides. */
const HISTORY_MARGIN_MS = 3_600_000;

/** Asks CWS what became of a purchase: the handler of `poll-purchase`. Never buys. */
@Injectable()
export class PollPurchaseService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
    private readonly settling: SettlePurchaseService,
    private readonly jobs: JobQueue,
  ) {}

  async poll(purchaseId: string): Promise<void> {
    const { manager } = this.dataSource;
    const purchase = await readPurchase(manager, purchaseId);
    if (purchase === null || PURCHASE_TRANSITIONS[purchase.state].length === 0) return;
    if (purchase.state === 'intended') {
      if (purchase.ageSeconds < INTENT_SETTLES_SECONDS) {
        await this.again(purchase, INTENT_SETTLES_SECONDS - purchase.ageSeconds + 1);
        return;
      }
      await this.settling.markUnknown(purchaseId, 'its worker did not write the outcome');
      return;
    }

    let failure: string | null = null;
    try {
      const order = purchase.state === 'fulfilling' ? await this.readKnown(purchase) : await this.lookUp(purchase);
      if (order !== null && (await this.settling.settle(purchaseId, order)) !== 'fulfilling') return;
      if (order === null) failure = 'CWS does not know the order';
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      failure = error.message;
    }
    await countPoll(manager, purchaseId, failure);
    await this.callPersonIfDue(purchase, failure);
    if (purchase.ageSeconds < POLLING_ENDS_AFTER_SECONDS) {
      await this.again(purchase, pollGapSeconds(purchase.pollCount + 1, purchase.isPastDeadline));
    }
  }

  private async readKnown(purchase: PurchaseProgress): Promise<SupplierOrder | null> {
    return this.cws.order(purchase.cwsOrderId ?? purchase.clientOrderId);
  }

  /** By our own id, as CWS's self link shows, and in the history: either may be the one that works. */
  private async lookUp(purchase: PurchaseProgress): Promise<SupplierOrder | null> {
    const direct = await this.cws.order(purchase.clientOrderId);
    if (direct !== null) return isOurs(purchase, direct) ? direct : null;
    const from = new Date(purchase.createdAt.getTime() - HISTORY_MARGIN_MS);
    const to = new Date(purchase.createdAt.getTime() + HISTORY_MARGIN_MS + purchase.ageSeconds * 1000);
    const history = await this.cws.orderHistory({ from, to });
    const listed = history.find((summary) => summary.clientOrderId === purchase.clientOrderId);
    if (listed === undefined) return null;
    const found = await this.cws.order(listed.cwsOrderId);
    return found !== null && isOurs(purchase, found) ? found : null;
  }

  private async callPersonIfDue(purchase: PurchaseProgress, failure: string | null): Promise<void> {
    if (purchase.isPastDeadline) {
      await this.settling.needAttention(
        purchase.orderId,
        `purchase ${purchase.clientOrderId} has no key by the deadline${failure === null ? '' : ` (${failure})`}`,
      );
      return;
    }
    const isSettled = purchase.ageSeconds > this.config.purchaseSettleSeconds;
    if (purchase.state === 'unknown' && isSettled) {
      await this.settling.needAttention(
        purchase.orderId,
        `purchase ${purchase.clientOrderId} has no known outcome after ${this.config.purchaseSettleSeconds} s; nothing is bought again on a guess`,
      );
    }
  }

  private async again(purchase: PurchaseProgress, startAfterSeconds: number): Promise<void> {
    await this.jobs.send('poll-purchase', { purchaseId: purchase.id }, { startAfterSeconds });
  }
}

/** Never attach on doubt: the answer must carry our id and our product. */
function isOurs(purchase: PurchaseProgress, order: SupplierOrder): boolean {
  return (
    order.clientOrderId === purchase.clientOrderId &&
    order.lines.length > 0 &&
    order.lines.every((line) => line.cwsProductId === purchase.cwsProductId)
  );
}
