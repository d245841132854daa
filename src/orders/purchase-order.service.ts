import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { JobQueue } from '../jobs/job-queue.js';
import { writeAudit } from '../audit/audit-log.js';
import { moveOwedHolds } from '../catalog/stock-holds.queries.js';
import { CallPersonService } from './call-person.service.js';
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
  readPurchase,
  touchOrder,
} from './purchases.queries.js';
import { piecesToBuy } from './order-progress.rules.js';
import { MatchSupplierOrdersService } from './match-supplier-orders.service.js';
import { isOrderOver } from './order-state.rules.js';
import { type ClaimedPurchase, PlacePurchaseService } from './place-purchase.service.js';
import { claimSend } from './purchase-sends.queries.js';
import { SendWindow } from './send-window.js';
import { SettlePurchaseService } from './settle-purchase.service.js';

/** Suppliers tried in one run before the job makes room for others. */
const ATTEMPTS_PER_RUN = 3;
/** How often suppliers are looked at again while none can serve. */
const RETRY_SECONDS = 20;
/** An intent this young may still be on its way in another worker. */
const INTENT_SETTLES_SECONDS = 20;

/** Buys what an order still needs: the handler of `purchase-order`. */
@Injectable()
export class PurchaseOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly choice: ChooseSupplierService,
    private readonly matching: MatchSupplierOrdersService,
    private readonly placing: PlacePurchaseService,
    private readonly settling: SettlePurchaseService,
    private readonly calling: CallPersonService,
    private readonly jobs: JobQueue,
  ) {}

  /** Looks at every item of the order and does what is due. Does nothing when there is nothing to do. */
  async advance(orderId: string): Promise<void> {
    const { manager } = this.dataSource;
    const order = await readOrder(manager, orderId);
    if (order === null || isOrderOver(order.state)) return;
    await touchOrder(manager, orderId);
    const items = await readItems(manager, orderId);
    const orderQuantity = items.reduce((sum, item) => sum + item.quantity, 0);
    for (const item of items) {
      for (const { id } of item.livePurchases) await this.followUp(order, id);
      // What one supplier is slow with does not keep the rest from being bought elsewhere.
      if (piecesToBuy(item) > 0) await this.buy(order, item, orderQuantity);
    }
  }

  /** A purchase is under way already: whoever made it may have died, or could not send it. */
  private async followUp(order: OrderProgress, purchaseId: string): Promise<void> {
    const { manager } = this.dataSource;
    const purchase = await readPurchase(manager, purchaseId);
    // Never sent, for sure: also when it was taken for unknown while its worker was frozen, who then told.
    if (purchase?.sendCount !== 0) {
      await this.jobs.send('poll-purchase', { purchaseId }, { startAfterSeconds: 1 });
      return;
    }
    if (order.isPastDeadline) {
      const { lastError: failure } = purchase;
      const reason = `not sent before the deadline${failure === null ? '' : ` (${failure})`}`;
      await this.settling.markDead(purchase, reason, { isRefused: false });
      return;
    }
    if (purchase.roomInSeconds > 0) {
      await this.again(order.id, purchase.roomInSeconds);
      return;
    }
    if (!(await this.matching.mayBuy())) {
      await this.again(order.id, RETRY_SECONDS);
      return;
    }
    const sendWindow = new SendWindow();
    if (!(await claimSend(manager, purchaseId, 0))) return;
    const outcome = await this.placing.place({ ...purchase, sendCount: 1, sendWindow });
    if (outcome === 'refused') await this.again(order.id, 0);
  }

  private async buy(order: OrderProgress, first: ItemProgress, orderQuantity: number): Promise<void> {
    // In time it is tried again and again; after the deadline only what was never tried at all.
    if (order.isPastDeadline && (first.deadPurchases > 0 || order.state === 'needs_attention')) {
      await this.wait(order);
      return;
    }
    const attempts = (await this.matching.mayBuy()) ? ATTEMPTS_PER_RUN : 0;
    let item: ItemProgress | undefined = first;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      // Another handler may have bought a part meanwhile.
      if (attempt > 1) item = await readItem(this.dataSource.manager, order.id, first.id);
      if (item === undefined || piecesToBuy(item) === 0) return;
      const chosen = await this.choice.choose(item, orderQuantity, { isFirst: attempt === 1 });
      if (chosen === null) break;
      const intent = await this.commitIntent(order.id, item, chosen);
      if (intent === 'over') return;
      if (intent === 'overtaken' || intent === 'sold_out') continue;
      const outcome = await this.placing.place(intent);
      if (outcome === 'settled' || outcome === 'later') return;
      if (outcome === 'unpayable') break;
    }
    await this.wait(order);
  }

  /**
   * The intent, committed before anything is sent, and with it the job for the pieces that this supplier does not have. `over`: the order is.
   * `overtaken`: another handler was faster. `sold_out`: somebody else was promised the pieces since the supplier was chosen.
   */
  private async commitIntent(
    orderId: string,
    item: ItemProgress,
    chosen: ChosenSupplier,
  ): Promise<ClaimedPurchase | 'over' | 'overtaken' | 'sold_out'> {
    const intent: PurchaseIntent = {
      id: randomUUID(),
      orderItemId: item.id,
      cwsProductId: chosen.cwsProductId,
      quantity: chosen.quantity,
      priceCapCents: chosen.priceCap,
    };
    const sendWindow = new SendWindow();
    return inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      const current = await readItem(manager, orderId, item.id);
      if (order === null || !isOpen(order) || current === undefined) return 'over';
      const { cwsProductId, quantity, priceCapCents } = intent;
      const busyProductIds = current.livePurchases.map((live) => live.cwsProductId);
      const toBuy = piecesToBuy(current);
      if (quantity > toBuy || busyProductIds.includes(cwsProductId)) return 'overtaken';
      const wanted = { reservationItemId: item.id, cwsProductId, quantity };
      if (!(await moveOwedHolds(manager, wanted, busyProductIds))) return 'sold_out';

      const clientOrderId = await insertPurchase(manager, intent);
      await writeAudit(manager, 'orders', [
        {
          action: 'purchase.intended',
          subjectId: intent.id,
          details: { orderId, cwsProductId, quantity, priceCapCents },
        },
      ]);
      if (order.state === 'accepted' || order.state === 'fulfilling') {
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
      // However long CWS takes with this part, the rest is looked for at once.
      if (quantity < toBuy) await this.jobs.send('purchase-order', { orderId }, { manager });
      return { ...intent, clientOrderId, sendCount: 1, sendWindow };
    });
  }

  /** Nobody can serve at the moment. */
  private async wait(order: OrderProgress): Promise<void> {
    if (order.isPastDeadline) await this.calling.call(order.id);
    else await this.again(order.id, RETRY_SECONDS);
  }

  private async again(orderId: string, startAfterSeconds: number): Promise<void> {
    await this.jobs.send('purchase-order', { orderId }, { startAfterSeconds });
  }
}

async function readItem(manager: EntityManager, orderId: string, itemId: string): Promise<ItemProgress | undefined> {
  return (await readItems(manager, orderId)).find(({ id }) => id === itemId);
}

/** An order that a person was called for about one item goes on with its others as long as there is time. */
function isOpen(order: OrderProgress): boolean {
  if (order.state === 'needs_attention') return !order.isPastDeadline;
  return !isOrderOver(order.state);
}
