import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { writeAudit } from '../audit/audit-log.js';
import { holdOwedAgain, markHoldBought } from '../catalog/stock-holds.queries.js';
import type { SupplierOrder } from '../cws/cws.types.js';
import { JobQueue } from '../jobs/job-queue.js';
import { insertKeys, type NewKey } from './keys.queries.js';
import { nextOrderState } from './order-progress.rules.js';
import {
  isResolved,
  ORDER_TRANSITIONS,
  type OrderState,
  PURCHASE_TRANSITIONS,
  type PurchaseState,
} from './order-state.rules.js';
import { isPollingOver, pollGapSeconds } from './polling.rules.js';
import {
  awaitPreorders,
  lockOrder,
  moveOrder,
  movePurchase,
  updateAttentionReason,
  type PurchaseProgress,
  readItems,
  readPurchase,
} from './purchases.queries.js';
import { settleAfter, undoSend } from './purchase-sends.queries.js';
import { ReadCodesService } from './read-codes.service.js';

const UNDELIVERABLE_FILE =
  'a key came as a file that is not handed over: not base64, too large, or neither PNG, JPEG, GIF, WebP nor PDF';
/** After CWS took an order back, before it is tried again: a supplier that always cancels must not be asked in a loop. */
const RETRY_AFTER_CANCEL_SECONDS = 20;

/** One sending of a purchase: a worker that was frozen for a while must not judge a later one. */
export interface Sending {
  readonly id: string;
  readonly sendCount: number;
}

/** Writes down what became of a purchase, and moves its order on. Every method may be called twice with the same news. */
@Injectable()
export class SettlePurchaseService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly codes: ReadCodesService,
    private readonly jobs: JobQueue,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * CWS told about its order. Codes that it lists without a value are fetched first (outside the transaction).
   * @param orders what CWS has under our id: one, unless a purchase was made twice. The codes of all are kept; what is more
   *   than owed stays spare, and a person is told.
   * @returns the purchase's state afterwards.
   */
  async settle(purchaseId: string, orders: readonly [SupplierOrder, ...SupplierOrder[]]): Promise<PurchaseState> {
    const [order, ...duplicates] = orders;
    const { keys, awaitedPreorders } = await this.codes.read(orders);
    if (duplicates.length > 0) await this.tellOfDuplicates(purchaseId, orders);
    const preorders = { areOver: false };
    const state = await this.change(purchaseId, async (manager, purchase) => {
      const unitPriceCents = order.lines[0]?.unitPrice ?? null;
      const stored = await this.storeKeys(manager, purchase, keys);
      const isServed = purchase.keys + stored >= purchase.quantity;
      const isOver = order.status === 'cancelled' || order.status === 'failed';
      const to: PurchaseState = isServed ? 'completed' : isOver ? 'dead' : 'fulfilling';
      await this.movePurchase(manager, purchase, to, {
        cwsOrderId: order.cwsOrderId,
        unitPriceCents,
        reason: isOver ? `CWS: ${order.status}` : undefined,
      });
      const awaited = to === 'fulfilling' ? awaitedPreorders : 0;
      preorders.areOver = awaited === 0 && purchase.awaitedPreorders > 0;
      await this.notePreorders(manager, purchase, awaited);
      await this.moveHolds(manager, purchase, { isOver, keys: purchase.keys + stored });
      if (to !== 'fulfilling') {
        // What is still owed, a second part of the quantity or all of it again, is looked for.
        const startAfterSeconds = to === 'dead' ? RETRY_AFTER_CANCEL_SECONDS : 0;
        await this.jobs.send('purchase-order', { orderId: purchase.orderId }, { manager, startAfterSeconds });
      }
      return to;
    });
    if (preorders.areOver) await this.alerts.clear('preorder_code', purchaseId);
    return state;
  }

  /**
   * The purchase did not happen and cannot happen any more; what is owed is looked for elsewhere.
   * @param sending as it was claimed: if it has been sent again since, this says nothing about it.
   */
  async markDead(sending: Sending, reason: string): Promise<void> {
    await this.changeSending(sending, async (manager, purchase) => {
      await this.movePurchase(manager, purchase, 'dead', { reason });
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
      await undoSend(manager, purchase.id, reason);
      if (purchase.state === 'intended') {
        const { orderId } = purchase;
        await this.jobs.send('purchase-order', { orderId }, { manager, startAfterSeconds: retryAfterSeconds });
      }
      return purchase.state;
    });
  }

  /** Calls a person, once per order and reason. The search for the key goes on where it can. */
  async needAttention(orderId: string, reason: string): Promise<void> {
    const isNews = await inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      if (order === null) return false;
      // What the person reads is what is true now, also when the first reason is over.
      if (order.state === 'needs_attention') return updateAttentionReason(manager, orderId, reason);
      return this.moveOrderTo(manager, order, 'needs_attention', reason);
    });
    if (isNews) await this.alerts.raise('order_needs_attention', orderId, reason);
  }

  /** @returns how many are new. */
  private async storeKeys(
    manager: EntityManager,
    { id, orderId, orderItemId, orderState }: PurchaseProgress,
    keys: readonly NewKey[],
  ): Promise<number> {
    const { stored, soldTwice } = await insertKeys(manager, { purchaseId: id, orderItemId }, keys);
    if (soldTwice.length > 0) {
      const message = `CWS sold ${soldTwice.length} code(s) that it had sold before: ${soldTwice.join(', ')}. None is delivered twice`;
      await this.alerts.raise('code_sold_twice', id, message, manager);
    }
    if (stored === 0) return 0;
    await writeAudit(manager, 'orders', [
      { action: 'purchase.keys_stored', subjectId: id, details: { count: stored } },
    ]);
    if (isResolved(orderState)) {
      const message = `${stored} key(s) came after a person had settled the order (${orderState}): they are paid for, and delivered to nobody`;
      await this.alerts.raise('spare_keys', orderId, message, manager);
    }
    return stored;
  }

  /** A pre-order's code may take weeks: a person hears of it, and the purchase waits on. */
  private async notePreorders(manager: EntityManager, purchase: PurchaseProgress, awaited: number): Promise<void> {
    if (awaited === purchase.awaitedPreorders) return;
    const { g2aOrderId } = await awaitPreorders(manager, purchase.id, awaited);
    if (awaited < purchase.awaitedPreorders) return;
    const message = `order ${g2aOrderId}: CWS sold ${awaited} code(s) as pre-orders, which come with the release (purchase ${purchase.clientOrderId})`;
    await this.alerts.raise('preorder_code', purchase.id, message, manager);
  }

  private async tellOfDuplicates(purchaseId: string, orders: readonly SupplierOrder[]): Promise<void> {
    const ids = orders.map(({ cwsOrderId }) => cwsOrderId).join(', ');
    await this.alerts.raise(
      'purchase_duplicated',
      purchaseId,
      `CWS has ${orders.length} orders for one purchase: ${ids}. What is not owed to the customer is kept as spare keys`,
    );
  }

  private async changeSending(
    { id, sendCount }: Sending,
    apply: (manager: EntityManager, purchase: PurchaseProgress) => Promise<PurchaseState>,
  ): Promise<void> {
    await this.change(id, async (manager, purchase) =>
      purchase.sendCount === sendCount ? apply(manager, purchase) : purchase.state,
    );
  }

  /** Under the order's lock: applies the change to a live purchase, then derives the order's state and the next job. */
  private async change(
    purchaseId: string,
    apply: (manager: EntityManager, purchase: PurchaseProgress) => Promise<PurchaseState>,
  ): Promise<PurchaseState> {
    const { state, orderId, orderMovedTo } = await inTransaction(this.dataSource, async (manager) => {
      const before = await readPurchase(manager, purchaseId);
      if (before === null) throw new Error(`purchase ${purchaseId} does not exist`);
      const order = await lockOrder(manager, before.orderId);
      // Read again under the lock: another handler may have settled it while we were asking CWS.
      const purchase = await readPurchase(manager, purchaseId);
      if (order === null || purchase === null) throw new Error(`purchase ${purchaseId} has no order`);
      if (PURCHASE_TRANSITIONS[purchase.state].length === 0) return { state: purchase.state, orderId: order.id };

      const state = await apply(manager, purchase);
      const to = nextOrderState(order.state, await readItems(manager, order.id));
      const orderMovedTo = to === order.state ? undefined : to;
      if (orderMovedTo !== undefined) {
        const reason = orderMovedTo === 'needs_attention' ? UNDELIVERABLE_FILE : undefined;
        await this.moveOrderTo(manager, order, orderMovedTo, reason);
      }
      if (state === 'unknown' || (state === 'fulfilling' && !isPollingOver(purchase))) {
        const startAfterSeconds = pollGapSeconds(purchase.pollCount, purchase.isPastDeadline);
        await this.jobs.send('poll-purchase', { purchaseId }, { manager, startAfterSeconds });
      }
      return { state, orderId: order.id, orderMovedTo };
    });
    if (orderMovedTo === 'completed') await this.alerts.clear('order_needs_attention', orderId);
    if (orderMovedTo === 'needs_attention') {
      await this.alerts.raise('order_needs_attention', orderId, UNDELIVERABLE_FILE);
    }
    return state;
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
    news: { cwsOrderId?: string; unitPriceCents?: PurchaseProgress['priceCapCents'] | null; reason?: string },
  ): Promise<void> {
    if (to === purchase.state) return;
    if (!PURCHASE_TRANSITIONS[purchase.state].includes(to)) {
      throw new Error(`purchase ${purchase.id} cannot go from ${purchase.state} to ${to}`);
    }
    const { reason: error, ...facts } = news;
    await movePurchase(manager, { id: purchase.id, from: purchase.state, to, error, ...facts });
    await writeAudit(manager, 'orders', [
      {
        action: 'purchase.state_changed',
        subjectId: purchase.id,
        details: {
          from: purchase.state,
          to,
          cwsOrderId: news.cwsOrderId,
          unitPriceCents: news.unitPriceCents ?? undefined,
          reason: news.reason,
        },
      },
    ]);
  }

  private async moveOrderTo(
    manager: EntityManager,
    order: { id: string; state: OrderState },
    to: OrderState,
    reason?: string,
  ): Promise<boolean> {
    if (!ORDER_TRANSITIONS[order.state].includes(to)) return false;
    await moveOrder(manager, { id: order.id, from: order.state, to, attentionReason: reason });
    await writeAudit(manager, 'orders', [
      { action: 'order.state_changed', subjectId: order.id, details: { from: order.state, to, reason } },
    ]);
    return true;
  }
}
