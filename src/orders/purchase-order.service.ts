import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { isBalanceTooLow } from '../cws/cws-errors.js';
import { formatCents } from '../money/cents.js';
import { JobQueue } from '../jobs/job-queue.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { writeAudit } from '../audit/audit-log.js';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierOrder } from '../cws/cws.types.js';
import { type ChosenSupplier, ChooseSupplierService } from './choose-supplier.service.js';
import {
  insertPurchase,
  type ItemProgress,
  lockOrder,
  moveOrder,
  type OrderProgress,
  type PurchaseIntent,
  readItems,
  readOrder,
  touchOrder,
} from './purchases.queries.js';
import { SettlePurchaseService } from './settle-purchase.service.js';

/** A purchase is only written to the wire this soon after its intent was committed: a frozen process must not send it later. */
const SEND_WINDOW_MS = 5000;
/** Suppliers tried in one run before the job makes room for others. */
const ATTEMPTS_PER_RUN = 3;
/** How often suppliers are looked at again while none can serve. */
const RETRY_SECONDS = 20;
/** An intent this young may still be on its way in another worker. */
const INTENT_SETTLES_SECONDS = 20;

/** Thrown into the client when the send window has closed: nothing was sent. */
class SendWindowClosedError extends Error {}

interface CommittedIntent extends PurchaseIntent {
  readonly clientOrderId: string;
  /** On the monotonic clock of this process. */
  readonly committedAtMs: number;
}

type PlaceOutcome = 'settled' | 'refused' | 'no_room';

/** Buys what an order still needs: the handler of `purchase-order`. */
@Injectable()
export class PurchaseOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly choice: ChooseSupplierService,
    private readonly settling: SettlePurchaseService,
    private readonly jobs: JobQueue,
    private readonly alerts: AlertsService,
  ) {}

  /** Looks at every item of the order and does what is due. Does nothing when there is nothing to do. */
  async advance(orderId: string): Promise<void> {
    const { manager } = this.dataSource;
    const order = await readOrder(manager, orderId);
    if (order === null || !isOpen(order)) return;
    await touchOrder(manager, orderId);
    const items = await readItems(manager, orderId);
    const orderQuantity = items.reduce((sum, item) => sum + item.quantity, 0);
    for (const item of items) {
      if (item.livePurchaseId !== null) await this.followUp(item.livePurchaseId);
      else if (item.keys < item.quantity) await this.buy(order, item, orderQuantity);
    }
  }

  /** A purchase is under way already: whoever made it may have died, so make sure that CWS is asked about it. */
  private async followUp(purchaseId: string): Promise<void> {
    await this.jobs.send('poll-purchase', { purchaseId }, { startAfterSeconds: 1 });
  }

  private async buy(order: OrderProgress, item: ItemProgress, orderQuantity: number): Promise<void> {
    // In time it is tried again and again; after the deadline only what was never tried at all.
    if (order.isPastDeadline && item.deadPurchases > 0) {
      await this.wait(order, item);
      return;
    }
    for (let attempt = 1; attempt <= ATTEMPTS_PER_RUN; attempt += 1) {
      const chosen = await this.choice.choose(item, orderQuantity, { isFirst: attempt === 1 });
      if (chosen === null) break;
      const intent = await this.commitIntent(order.id, item, chosen);
      if (intent === null) return;
      const outcome = await this.place(intent);
      if (outcome === 'settled') return;
      if (outcome === 'no_room') break;
    }
    await this.wait(order, item);
  }

  /** The intent, committed before anything is sent; null when another handler was faster. */
  private async commitIntent(
    orderId: string,
    item: ItemProgress,
    chosen: ChosenSupplier,
  ): Promise<CommittedIntent | null> {
    const intent: PurchaseIntent = {
      id: randomUUID(),
      orderItemId: item.id,
      cwsProductId: chosen.cwsProductId,
      quantity: chosen.quantity,
      priceCapCents: chosen.priceCap,
    };
    const clientOrderId = await inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      const current = (await readItems(manager, orderId)).find(({ id }) => id === item.id);
      if (order === null || !isOpen(order) || current === undefined) return null;
      if (current.livePurchaseId !== null || current.keys + intent.quantity > current.quantity) return null;

      const reference = await insertPurchase(manager, intent);
      const { cwsProductId, quantity, priceCapCents } = intent;
      await writeAudit(manager, 'orders', [
        {
          action: 'purchase.intended',
          subjectId: intent.id,
          details: { orderId, cwsProductId, quantity, priceCapCents },
        },
      ]);
      if (order.state !== 'purchasing') {
        await moveOrder(manager, { id: orderId, from: order.state, to: 'purchasing' });
        await writeAudit(manager, 'orders', [
          { action: 'order.state_changed', subjectId: orderId, details: { from: order.state, to: 'purchasing' } },
        ]);
      }
      // If this process dies before it can write the outcome, CWS is asked what became of it.
      await this.jobs.send(
        'poll-purchase',
        { purchaseId: intent.id },
        { manager, startAfterSeconds: INTENT_SETTLES_SECONDS },
      );
      return reference;
    });
    return clientOrderId === null ? null : { ...intent, clientOrderId, committedAtMs: performance.now() };
  }

  /**
   * Sends the purchase and writes down what became of it.
   * @returns `settled` when it happened or may have happened, `refused` when it certainly did not and another supplier may
   *   be tried, `no_room` when CWS cannot be asked at the moment (nothing happened either).
   */
  private async place(intent: CommittedIntent): Promise<PlaceOutcome> {
    let answer: SupplierOrder;
    try {
      answer = await this.cws.placeOrder({
        clientOrderId: intent.clientOrderId,
        cwsProductId: intent.cwsProductId,
        quantity: intent.quantity,
        unitPriceCap: intent.priceCapCents,
        beforeSend: () => {
          if (performance.now() - intent.committedAtMs > SEND_WINDOW_MS) throw new SendWindowClosedError();
        },
      });
    } catch (error) {
      return this.writeFailure(intent, error);
    }
    // Outside the try: from here on it is bought, and no failure may make it look as if it were not.
    await this.settling.settle(intent.id, answer);
    await this.alerts.clear('balance_too_low');
    return 'settled';
  }

  private async writeFailure(intent: PurchaseIntent, error: unknown): Promise<PlaceOutcome> {
    if (error instanceof SendWindowClosedError) {
      await this.settling.markDead(intent.id, 'not sent: the send window had closed');
      return 'refused';
    }
    if (!(error instanceof UpstreamError)) throw error;
    if (error.kind === 'unknown') {
      await this.settling.markUnknown(intent.id, error.message);
      return 'settled';
    }
    await this.settling.markDead(intent.id, error.message);
    if (isBalanceTooLow(error)) {
      const { quantity, priceCapCents } = intent;
      await this.alerts.raise(
        'balance_too_low',
        '',
        `${quantity} x ${formatCents(priceCapCents)} in the account's currency could not be paid: ${error.message}`,
      );
      return 'no_room';
    }
    return error.kind === 'rejected' ? 'refused' : 'no_room';
  }

  /** Nobody can serve at the moment. */
  private async wait(order: OrderProgress, item: ItemProgress): Promise<void> {
    if (order.isPastDeadline) {
      const missing = item.quantity - item.keys;
      await this.settling.needAttention(
        order.id,
        `product ${item.g2aProductId}: ${missing} of ${item.quantity} keys could not be bought in time without a loss`,
      );
      return;
    }
    await this.jobs.send('purchase-order', { orderId: order.id }, { startAfterSeconds: RETRY_SECONDS });
  }
}

function isOpen(order: OrderProgress): boolean {
  return order.state === 'accepted' || order.state === 'purchasing' || order.state === 'fulfilling';
}
