import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { writeAudit } from '../audit/audit-log.js';
import { holdOwedAgain, markHoldBought } from '../catalog/stock-holds.queries.js';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierCode, SupplierOrder } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { JobQueue } from '../jobs/job-queue.js';
import { KeyCipher } from './key-cipher.js';
import { readKeyFile, safeFileName } from './key-file.rules.js';
import { insertKeys, type NewKey } from './keys.queries.js';
import { nextOrderState } from './order-progress.rules.js';
import { ORDER_TRANSITIONS, type OrderState, PURCHASE_TRANSITIONS, type PurchaseState } from './order-state.rules.js';
import { pollGapSeconds } from './polling.rules.js';
import {
  lockOrder,
  moveOrder,
  movePurchase,
  type PurchaseProgress,
  readItems,
  readPurchase,
} from './purchases.queries.js';
import { settleAfter, undoSend } from './purchase-sends.queries.js';

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
  private readonly logger = new Logger(SettlePurchaseService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly cipher: KeyCipher,
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
    const codes = (await Promise.all(orders.map((each) => this.readableCodes(each)))).flat();
    if (duplicates.length > 0) await this.tellOfDuplicates(purchaseId, orders);
    return this.change(purchaseId, async (manager, purchase) => {
      const unitPriceCents = order.lines[0]?.unitPrice ?? null;
      const stored = await insertKeys(manager, { purchaseId, orderItemId: purchase.orderItemId }, this.encrypt(codes));
      if (stored > 0) {
        await writeAudit(manager, 'orders', [
          { action: 'purchase.keys_stored', subjectId: purchaseId, details: { count: stored } },
        ]);
      }
      const isServed = purchase.keys + stored >= purchase.quantity;
      const isOver = order.status === 'cancelled' || order.status === 'failed';
      const to: PurchaseState = isServed ? 'completed' : isOver ? 'dead' : 'fulfilling';
      await this.movePurchase(manager, purchase, to, {
        cwsOrderId: order.cwsOrderId,
        unitPriceCents,
        reason: isOver ? `CWS: ${order.status}` : undefined,
      });
      await this.moveHolds(manager, purchase, { isOver, keys: purchase.keys + stored });
      if (to !== 'fulfilling') {
        // What is still owed, a second part of the quantity or all of it again, is looked for.
        const startAfterSeconds = to === 'dead' ? RETRY_AFTER_CANCEL_SECONDS : 0;
        await this.jobs.send('purchase-order', { orderId: purchase.orderId }, { manager, startAfterSeconds });
      }
      return to;
    });
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

  /** Calls a person, once per order. The search for the key goes on where it can. */
  async needAttention(orderId: string, reason: string): Promise<void> {
    const isNew = await inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      if (order === null || order.state === 'needs_attention') return false;
      return this.moveOrderTo(manager, order, 'needs_attention', reason);
    });
    if (isNew) await this.alerts.raise('order_needs_attention', orderId, reason);
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
      if (state === 'fulfilling' || state === 'unknown') {
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
    const { orderItemId: reservationItemId, cwsProductId, quantity, state } = purchase;
    const wasAccepted = state === 'fulfilling';
    if (!wasAccepted) {
      const bought = news.isOver ? news.keys : quantity;
      if (bought > 0) await markHoldBought(manager, { reservationItemId, cwsProductId, quantity: bought });
    } else if (news.isOver && news.keys < quantity) {
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

  /**
   * Codes with a value. CWS may list one by id only, and fill it later. Trouble with reading one must never reach the caller
   * as trouble with the order: it was bought, whatever happens here, and is asked about again.
   */
  private async readableCodes(order: SupplierOrder): Promise<(SupplierCode & { value: string })[]> {
    const readable: (SupplierCode & { value: string })[] = [];
    for (const listed of order.lines.flatMap((line) => line.codes)) {
      const code = listed.value === null ? await this.readCode(listed.codeId) : listed;
      const value = code?.value ?? null;
      if (code !== null && value !== null) readable.push({ ...code, codeId: listed.codeId, value });
    }
    return readable;
  }

  private async readCode(codeId: string): Promise<SupplierCode | null> {
    try {
      return await this.cws.code(codeId);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.logger.warn(`a bought code cannot be read yet: ${error.message}`);
      return null;
    }
  }

  private encrypt(codes: readonly (SupplierCode & { value: string })[]): NewKey[] {
    return codes.map((code) => {
      const id = randomUUID();
      return {
        id,
        cwsCodeId: code.codeId,
        ...(code.kind === 'image' ? fileOf(code) : { kind: 'text', fileName: null, undeliverableReason: null }),
        fingerprint: this.cipher.fingerprint(code.value),
        ...this.cipher.encrypt(code.value, id),
      };
    });
  }
}

/** What is stored beside a file's value. One that cannot be handed over is kept all the same: it was paid for. */
function fileOf({ value, fileName }: { value: string; fileName: string | null }) {
  const file = readKeyFile(value);
  return 'undeliverableReason' in file
    ? { kind: 'file' as const, fileName: safeFileName(fileName, null), undeliverableReason: file.undeliverableReason }
    : { kind: 'file' as const, fileName: safeFileName(fileName, file.mimeType), undeliverableReason: null };
}
