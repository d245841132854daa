import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { JobQueue } from '../jobs/job-queue.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { CallPersonService } from './call-person.service.js';
import { type FoundOrders, LookUpPurchaseService } from './look-up-purchase.service.js';
import { MatchSupplierOrdersService } from './match-supplier-orders.service.js';
import { isOrderOver } from './order-state.rules.js';
import { PlacePurchaseService } from './place-purchase.service.js';
import { isPollingOver, pollGapSeconds } from './polling.rules.js';
import { isPurchaseOver } from './purchase-end.rules.js';
import { areLookupsTrusted, claimSend } from './purchase-sends.queries.js';
import { touchPurchase } from './purchase-watch.queries.js';
import { countPoll, type PurchaseProgress, readPurchase } from './purchases.queries.js';
import { SendWindow } from './send-window.js';
import { SettlePurchaseService } from './settle-purchase.service.js';
import { type PendingNews, WatchPendingService } from './watch-pending.service.js';

/** A sending claimed so lately may still be on its way: its worker writes the outcome. */
const SENDING_SECONDS = 20;
/** After so many sendings without an answer a person is asked. */
const MAX_SENDS = 3;

/** Asks CWS what became of a purchase: the handler of `poll-purchase`. */
@Injectable()
export class PollPurchaseService {
  private readonly logger = new Logger(PollPurchaseService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly lookUp: LookUpPurchaseService,
    private readonly matching: MatchSupplierOrdersService,
    private readonly placing: PlacePurchaseService,
    private readonly settling: SettlePurchaseService,
    private readonly calling: CallPersonService,
    private readonly watch: WatchPendingService,
    private readonly jobs: JobQueue,
  ) {}

  async poll(purchaseId: string): Promise<void> {
    const { manager } = this.dataSource;
    const purchase = await readPurchase(manager, purchaseId);
    if (purchase === null) return;
    if (isPurchaseOver(purchase.state)) {
      if (purchase.isWatched) await this.lookAgain(purchase);
      return;
    }
    if (purchase.sendCount === 0) {
      if (isOrderOver(purchase.orderState)) {
        const reason = 'never sent, and not needed any more';
        await this.settling.markDead(purchase, reason, { isRefused: false });
      } else {
        const { orderId, roomInSeconds: startAfterSeconds } = purchase;
        await this.jobs.send('purchase-order', { orderId }, { startAfterSeconds });
      }
      return;
    }
    if (purchase.settlesInSeconds === null && purchase.state !== 'fulfilling') {
      await this.waitForWorker(purchase);
      return;
    }

    let failure: string | null = null;
    let mustAskPerson = false;
    try {
      const news = await this.newsOfPending(purchase);
      if (!news.isWorthAsking) {
        await this.nothingNew(purchase, news.failure, false);
        return;
      }
      const { orders, doubts } = await this.read(purchase);
      if (orders.length > 0) {
        if (doubts.length > 0) await this.settling.noteDoubts(purchaseId, doubts);
        if (isPurchaseOver(await this.settling.settle(purchaseId, orders))) return;
      } else {
        const next = await this.sendAgain(purchase, doubts.length > 0);
        if (next === 'sent') return;
        failure = doubts.length > 0 ? doubts.join('; ') : 'CWS does not know the order';
        mustAskPerson = next === 'never';
      }
    } catch (error) {
      // Whatever it was: the customer has paid, so it is tried again, and a person hears of it in time.
      failure = error instanceof Error ? error.message : String(error);
      if (!(error instanceof UpstreamError)) this.logger.error(`purchase ${purchaseId} cannot be polled: ${failure}`);
    }
    await this.nothingNew(purchase, failure, mustAskPerson);
  }

  private async newsOfPending({ id, state, cwsOrderIds, isWatched }: PurchaseProgress): Promise<PendingNews> {
    if (state !== 'fulfilling' || isWatched) return { isWorthAsking: true, failure: null };
    return this.watch.newsOf(id, cwsOrderIds);
  }

  /** Whether CWS has more of a purchase that is over than we know: it may have been made twice, or after it was given up. */
  private async lookAgain(purchase: PurchaseProgress): Promise<void> {
    await touchPurchase(this.dataSource.manager, purchase.id);
    try {
      const { orders, doubts } = await this.lookUp.find(purchase, purchase.cwsOrderIds);
      if (orders.length > 0) await this.settling.settle(purchase.id, orders);
      if (doubts.length > 0) await this.settling.noteDoubts(purchase.id, doubts);
    } catch (error) {
      // The sweep has it asked about again.
      this.logger.warn(
        `purchase ${purchase.id} cannot be looked up: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private async nothingNew(purchase: PurchaseProgress, failure: string | null, mustAskPerson: boolean): Promise<void> {
    await countPoll(this.dataSource.manager, purchase.id, failure);
    // Not when a look-up failed: then nobody has said that CWS does not know the purchase.
    if (mustAskPerson || purchase.isPastDeadline) {
      await this.calling.call(purchase.orderId, mustAskPerson ? purchase : undefined);
    }
    if (!isPollingOver(purchase)) {
      await this.again(purchase, pollGapSeconds(purchase.pollCount + 1, purchase.isPastDeadline));
    }
  }

  /** Whoever claimed the last sending has not written what became of it: at work, or dead. */
  private async waitForWorker(purchase: PurchaseProgress): Promise<void> {
    if (purchase.sendAgeSeconds < SENDING_SECONDS) {
      await this.again(purchase, SENDING_SECONDS - purchase.sendAgeSeconds + 1);
      return;
    }
    const settleSeconds = Math.max(0, this.config.purchaseSettleSeconds - purchase.sendAgeSeconds);
    await this.settling.markUnknown(purchase, 'its worker did not write the outcome', settleSeconds);
  }

  private async read(purchase: PurchaseProgress): Promise<FoundOrders> {
    const { state, isWatched, cwsOrderIds } = purchase;
    if (state === 'fulfilling' && !isWatched) return { orders: await this.lookUp.read(cwsOrderIds), doubts: [] };
    return this.lookUp.find(purchase, cwsOrderIds);
  }

  /**
   * Neither look-up has found the purchase. If they are known to find what there is, and nothing of the last sending can still
   * arrive, it did not happen, and the same purchase is sent once more.
   * @param hasTraces CWS shows something under our id all the same.
   * @returns `sent`; `later`: not yet, or another handler does it; `never`: only a person can tell.
   */
  private async sendAgain(purchase: PurchaseProgress, hasTraces: boolean): Promise<'sent' | 'later' | 'never'> {
    const { state, settlesInSeconds, sendCount, isPastDeadline, orderState } = purchase;
    if (state !== 'unknown' || settlesInSeconds === null || settlesInSeconds > 0 || isPastDeadline) return 'later';
    if (hasTraces || orderState === 'needs_attention' || sendCount >= MAX_SENDS) return 'never';
    const { manager } = this.dataSource;
    if (!(await areLookupsTrusted(manager, this.config))) return 'never';
    if (!(await this.matching.mayBuy())) return 'later';
    const sendWindow = new SendWindow();
    if (!(await claimSend(manager, purchase.id, sendCount))) return 'later';
    await this.placing.place({ ...purchase, sendCount: sendCount + 1, sendWindow });
    return 'sent';
  }

  private async again(purchase: PurchaseProgress, startAfterSeconds: number): Promise<void> {
    await this.jobs.send('poll-purchase', { purchaseId: purchase.id }, { startAfterSeconds });
  }
}
