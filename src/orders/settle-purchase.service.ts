import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { type AuditEntry, writeAudit } from '../audit/audit-log.js';
import { holdOwedAgain, markHoldBought, releaseOwedHolds } from '../catalog/stock-holds.queries.js';
import type { SupplierOrder } from '../cws/cws.types.js';
import { JobQueue } from '../jobs/job-queue.js';
import { noteRefusal } from './choose-supplier.queries.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { MoveOrderService } from './move-order.service.js';
import { nextOrderState } from './order-progress.rules.js';
import { isResolved, PURCHASE_TRANSITIONS, type PurchaseState } from './order-state.rules.js';
import { isPollingOver, pollGapSeconds } from './polling.rules.js';
import { isPurchaseOver, type OrderNews, stateAfterNews } from './purchase-end.rules.js';
import { unitCost } from './purchase-cost.rules.js';
import { watchPurchase } from './purchase-watch.queries.js';
import {
  lockOrder,
  movePurchase,
  noteTakenBack,
  noteUnitPrice,
  type OrderProgress,
  type PurchaseProgress,
  readItems,
  readPurchase,
} from './purchases.queries.js';
import { type Sending, settleAfter, undoSend } from './purchase-sends.queries.js';
import { ReadCodesService } from './read-codes.service.js';
import { StoreCodesService } from './store-codes.service.js';
import { abandonUnsentPurchases } from './unsent-purchases.queries.js';

const UNDELIVERABLE_FILE =
  'a key came as a file that is not handed over: not base64, too large, or neither PNG, JPEG, GIF, WebP nor PDF';
/** After a purchase came to nothing, before the order is looked at again: a supplier that always cancels must not be asked in a loop. */
const RETRY_AFTER_END_SECONDS = 20;

/** Writes down what became of a purchase, and moves its order on. Every method may be called twice with the same news. */
@Injectable()
export class SettlePurchaseService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly lookUp: LookUpPurchaseService,
    private readonly codes: ReadCodesService,
    private readonly storing: StoreCodesService,
    private readonly jobs: JobQueue,
    private readonly moving: MoveOrderService,
  ) {}

  /**
   * CWS told about its orders. Ends are confirmed, and codes that it lists without a value fetched first (outside the transaction).
   * @param shown what CWS has under our id: one, unless a purchase was made twice. The codes of all are kept, also when the
   *   purchase is over; what is more than owed stays spare, and a person is told.
   * @returns the purchase's state afterwards.
   */
  async settle(purchaseId: string, shown: readonly SupplierOrder[]): Promise<PurchaseState> {
    const orders = await this.lookUp.confirmEnds(shown);
    const codes = await this.codes.read(purchaseId, orders);
    return this.changeAny(purchaseId, async (manager, purchase) => {
      const knownOrders = await this.storing.noteOrders(
        manager,
        purchase,
        orders.map(({ cwsOrderId }) => cwsOrderId),
      );
      const unitPriceCents = unitCost(orders, purchase.quantity);
      if (unitPriceCents !== null) await noteUnitPrice(manager, purchase.id, unitPriceCents);
      const stored = await this.storing.store(manager, purchase, codes);
      const keys = purchase.keys + stored.size;
      const news = codes.orders.map(({ status, storedBefore, readCodes, unreadCodes }): OrderNews => ({
        status,
        storedCodes: storedBefore + readCodes.filter((codeId) => stored.has(codeId)).length,
        unreadCodes,
      }));
      const to = stateAfterNews({ quantity: purchase.quantity, keys, orders: knownOrders }, news);
      const reason = to === 'dead' ? `CWS: ${news.map(({ status }) => status).join(', ')}` : undefined;
      if (isPurchaseOver(purchase.state)) {
        await this.countLate(manager, purchase, stored.size);
        // A person gave it up, and now CWS does: it is not paid.
        if (purchase.state === 'dead' && reason !== undefined) await noteTakenBack(manager, purchase.id, reason);
        return purchase.state;
      }
      await this.movePurchase(manager, purchase, to, {
        cwsOrderId: orders[0]?.cwsOrderId,
        unitPriceCents: unitPriceCents ?? undefined,
        reason,
      });
      // What a supplier took back it may deliver after all.
      if (to === 'dead') {
        await watchPurchase(manager, purchase.id);
        await noteRefusal(manager, purchase.id);
      }
      const awaited = to === 'fulfilling' ? codes.awaitedPreorders : 0;
      await this.storing.notePreorders(manager, purchase, awaited);
      await this.moveHolds(manager, purchase, { isOver: to === 'dead', keys });
      if (to !== 'fulfilling') {
        // What is still owed, a second part of the quantity or all of it again, is looked for.
        const startAfterSeconds = to === 'dead' ? RETRY_AFTER_END_SECONDS : 0;
        await this.jobs.send('purchase-order', { orderId: purchase.orderId }, { manager, startAfterSeconds });
      }
      return to;
    });
  }

  /** CWS shows something under the purchase's id that is not attached to it. */
  async noteDoubts(purchaseId: string, doubts: readonly string[]): Promise<void> {
    await this.changeAny(purchaseId, async (manager, purchase) => {
      await this.storing.noteDoubts(manager, purchase, doubts);
      return purchase.state;
    });
  }

  /**
   * The purchase did not happen and cannot happen any more; what is owed is looked for elsewhere.
   * @param sending as it was claimed: if it has been sent again since, this says nothing about it.
   * @param options.isRefused CWS did not sell this product: another supplier goes first, until it shows something else.
   */
  async markDead(sending: Sending, reason: string, options: { isRefused: boolean }): Promise<void> {
    await this.changeSending(sending, async (manager, purchase) => {
      await this.movePurchase(manager, purchase, 'dead', { reason });
      if (options.isRefused) await noteRefusal(manager, purchase.id);
      // Whoever has sent it goes on at once; if that process dies, this job does.
      const { orderId } = purchase;
      await this.jobs.send('purchase-order', { orderId }, { manager, startAfterSeconds: RETRY_AFTER_END_SECONDS });
      return 'dead';
    });
  }

  /**
   * Nobody knows whether it happened: CWS is asked until it is known.
   * @param settleSeconds after this time nothing of what was sent can still arrive at CWS.
   */
  async markUnknown(sending: Sending, reason: string, settleSeconds: number): Promise<void> {
    await this.changeSending(sending, async (manager, purchase) => {
      if (purchase.state === 'intended') await this.movePurchase(manager, purchase, 'unknown', { reason });
      await settleAfter(manager, purchase.id, settleSeconds);
      return 'unknown';
    });
  }

  /** A claimed sending certainly did not happen: the same purchase is sent after a while. */
  async markUnsent(sending: Sending, reason: string, retryAfterSeconds: number): Promise<void> {
    await this.changeSending(sending, async (manager, purchase) => {
      await undoSend(manager, purchase.id, reason, retryAfterSeconds);
      if (purchase.state === 'intended') {
        const { orderId } = purchase;
        await this.jobs.send('purchase-order', { orderId }, { manager, startAfterSeconds: retryAfterSeconds });
      }
      return purchase.state;
    });
  }

  /** Keys came of a purchase that was over: CWS has taken the pieces, and what was owed of them is owed no more. */
  private async countLate(manager: EntityManager, purchase: PurchaseProgress, keys: number): Promise<void> {
    if (keys === 0) return;
    const { orderItemId: reservationItemId, cwsProductId } = purchase;
    await markHoldBought(manager, { reservationItemId, cwsProductId, quantity: keys });
  }

  private async changeSending(
    { id, sendCount }: Sending,
    apply: (manager: EntityManager, purchase: PurchaseProgress) => Promise<PurchaseState>,
  ): Promise<void> {
    await this.change(id, async (manager, purchase) =>
      purchase.sendCount === sendCount ? apply(manager, purchase) : purchase.state,
    );
  }

  /** As changeAny, to a live purchase: what is over stays as it is. */
  private async change(
    purchaseId: string,
    apply: (manager: EntityManager, purchase: PurchaseProgress) => Promise<PurchaseState>,
  ): Promise<PurchaseState> {
    return this.changeAny(purchaseId, async (manager, purchase) =>
      isPurchaseOver(purchase.state) ? purchase.state : apply(manager, purchase),
    );
  }

  /** Under the order's lock: applies the change, then derives the order's state and the next job. */
  private async changeAny(
    purchaseId: string,
    apply: (manager: EntityManager, purchase: PurchaseProgress) => Promise<PurchaseState>,
  ): Promise<PurchaseState> {
    return inTransaction(this.dataSource, async (manager) => {
      const before = await readPurchase(manager, purchaseId);
      if (before === null) throw new Error(`purchase ${purchaseId} does not exist`);
      const order = await lockOrder(manager, before.orderId);
      // Read again under the lock: another handler may have settled it while we were asking CWS.
      const purchase = await readPurchase(manager, purchaseId);
      if (order === null || purchase === null) throw new Error(`purchase ${purchaseId} has no order`);
      const state = await apply(manager, purchase);
      await this.abandonUnsent(manager, order);
      const items = await readItems(manager, order.id);
      // Keys of what was over may have come beside those of what was bought in its place: nothing is held for an item that has all.
      const complete = items.filter(({ keys, quantity }) => keys >= quantity);
      if (complete.length > 0)
        await releaseOwedHolds(
          manager,
          complete.map(({ id }) => id),
        );
      const to = nextOrderState(order.state, items);
      // An order that is over stays so, whatever still comes.
      await this.moving.move(manager, order, to, to === 'needs_attention' ? UNDELIVERABLE_FILE : undefined);
      if (state === 'unknown' || (state === 'fulfilling' && !isPollingOver(purchase))) {
        const startAfterSeconds = pollGapSeconds(purchase.pollCount, purchase.isPastDeadline);
        await this.jobs.send('poll-purchase', { purchaseId }, { manager, startAfterSeconds });
      }
      return state;
    });
  }

  /** Keys may have come of another purchase: what was never sent, and is not needed any more, never is. */
  private async abandonUnsent(manager: EntityManager, { id: orderId, state }: OrderProgress): Promise<void> {
    const unsent = await abandonUnsentPurchases(manager, orderId, isResolved(state) ? 'all' : 'unneeded');
    if (unsent.length === 0) return;
    const entries = unsent.map(({ id, from }): AuditEntry => ({
      action: 'purchase.state_changed',
      subjectId: id,
      details: { from, to: 'dead', reason: 'never sent, and not needed any more' },
    }));
    await writeAudit(manager, 'orders', entries);
    // One of several pieces, of which some came: the rest is looked for.
    await this.jobs.send('purchase-order', { orderId }, { manager });
  }

  /**
   * CWS takes the pieces off its quantity when it accepts the order, not when the codes come: from then on they are bought.
   * What it takes back is owed again.
   */
  private async moveHolds(
    manager: EntityManager,
    purchase: PurchaseProgress,
    news: { isOver: boolean; keys: number },
  ): Promise<void> {
    const { orderItemId: reservationItemId, cwsProductId, quantity, state, orderState } = purchase;
    const wasAccepted = state === 'fulfilling';
    if (!wasAccepted) {
      const bought = news.isOver ? news.keys : quantity;
      if (bought > 0) await markHoldBought(manager, { reservationItemId, cwsProductId, quantity: bought });
    } else if (news.isOver && news.keys < quantity && !isResolved(orderState)) {
      await holdOwedAgain(manager, { reservationItemId, cwsProductId, quantity: quantity - news.keys });
    }
  }

  private async movePurchase(
    manager: EntityManager,
    purchase: PurchaseProgress,
    to: PurchaseState,
    news: { cwsOrderId?: string; unitPriceCents?: number; reason?: string },
  ): Promise<void> {
    if (to === purchase.state) return;
    if (!PURCHASE_TRANSITIONS[purchase.state].includes(to)) {
      throw new Error(`purchase ${purchase.id} cannot go from ${purchase.state} to ${to}`);
    }
    await movePurchase(manager, { id: purchase.id, from: purchase.state, to, error: news.reason });
    await writeAudit(manager, 'orders', [
      {
        action: 'purchase.state_changed',
        subjectId: purchase.id,
        details: { from: purchase.state, to, ...news },
      },
    ]);
  }
}
