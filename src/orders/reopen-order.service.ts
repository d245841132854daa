import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { holdOwedAgain } from '../catalog/stock-holds.queries.js';
import { AppConfig } from '../config/app-config.js';
import { JobQueue } from '../jobs/job-queue.js';
import {
  OrderNotFoundError,
  OrderNotWaitingError,
  PurchaseNotSettledError,
  PurchaseNotWaitingError,
} from './order-errors.js';
import { piecesToBuy } from './order-progress.rules.js';
import { type ItemProgress, lockOrder, type OrderProgress, readItems } from './purchases.queries.js';
import {
  abandonAcceptedPurchases,
  abandonUnknownPurchases,
  type GivenUpPurchase,
  reopenOrder,
  unsettledPurchases,
} from './reopen-order.queries.js';
import { isSameReference } from './supplier-order-match.rules.js';

/** A person's decision about an order that waits for one. */
@Injectable()
export class ReopenOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly jobs: JobQueue,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Lets the search for the order's keys begin anew, with a new deadline. Purchases whose outcome is unknown are given up:
   * the person has looked at CWS's panel and found that they did not happen. If one did, it is paid twice. Refused while what
   * was sent of one can still arrive: a look at the panel says nothing yet.
   * @param giveUp ids or client order ids of purchases to give up too, which CWS has accepted and not delivered by the deadline.
   *   They are paid; what they bring later is kept.
   * @returns client order ids of all that were given up.
   * @throws OrderNotFoundError, OrderNotWaitingError, PurchaseNotSettledError, PurchaseNotWaitingError
   */
  async reopen(orderId: string, actor: AuditActor, giveUp: readonly string[] = []): Promise<string[]> {
    return inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      const items = await readItems(manager, orderId);
      demandWaiting(order, items);
      const unsettled = await unsettledPurchases(manager, orderId, this.config.purchaseSettleSeconds);
      if (unsettled.length > 0) throw new PurchaseNotSettledError(unsettled);
      const abandoned = await abandonUnknownPurchases(manager, orderId);
      const accepted = await this.giveUpAccepted(
        manager,
        order,
        items,
        giveUp.filter((reference) => !abandoned.some((purchase) => isNamed(purchase, reference))),
      );
      await reopenOrder(manager, orderId, this.config.orderPollTimeoutSeconds);
      await writeAudit(manager, actor, [
        ...abandoned.map(({ id }) => ({
          action: 'purchase.state_changed' as const,
          subjectId: id,
          details: { from: 'unknown', to: 'dead', reason: 'a person found that it did not happen' },
        })),
        ...accepted.map(({ id }) => ({
          action: 'purchase.state_changed' as const,
          subjectId: id,
          details: { from: 'fulfilling', to: 'dead', reason: 'given up by a person: no key by the deadline' },
        })),
        {
          action: 'order.state_changed' as const,
          subjectId: orderId,
          details: { from: 'needs_attention', to: 'purchasing', reason: 'reopened by a person' },
        },
      ]);
      await this.alerts.clearWithin(manager, 'order_needs_attention', orderId);
      await this.jobs.send('purchase-order', { orderId }, { manager });
      return [...abandoned, ...accepted].map(({ clientOrderId }) => clientOrderId);
    });
  }

  /** What CWS has accepted is bought: its pieces are owed again, as when CWS takes an order back. */
  private async giveUpAccepted(
    manager: EntityManager,
    order: OrderProgress,
    items: readonly ItemProgress[],
    giveUp: readonly string[],
  ): Promise<GivenUpPurchase[]> {
    const references = giveUp.map((reference) => reference.toLowerCase());
    const purchases = order.isPastDeadline ? await abandonAcceptedPurchases(manager, order.id, references) : [];
    const spared = giveUp.find((reference) => !purchases.some((purchase) => isNamed(purchase, reference)));
    if (spared !== undefined) throw new PurchaseNotWaitingError(spared);
    for (const { id: reservationItemId, quantity, keys, livePurchases } of items) {
      const accepted = livePurchases.filter(({ state }) => state === 'fulfilling');
      const given = purchases.filter(({ orderItemId }) => orderItemId === reservationItemId);
      const spared = accepted.filter(({ id }) => !given.some((purchase) => purchase.id === id));
      // Pieces that CWS has accepted are not held; what a late key has served is not owed.
      let missing =
        piecesToBuy({ quantity, keys, livePurchases: spared }) -
        piecesToBuy({ quantity, keys, livePurchases: accepted });
      for (const { cwsProductId, missingKeys } of given) {
        const pieces = Math.min(missingKeys, missing);
        missing -= pieces;
        if (pieces > 0) await holdOwedAgain(manager, { reservationItemId, cwsProductId, quantity: pieces });
      }
    }
    return purchases;
  }
}

function isNamed({ id, clientOrderId }: GivenUpPurchase, reference: string): boolean {
  return isSameReference(reference, id) || isSameReference(reference, clientOrderId);
}

/** @throws OrderNotFoundError, OrderNotWaitingError when the order is not one that can be reopened. */
export function demandWaiting(
  order: OrderProgress | null,
  items: readonly ItemProgress[],
): asserts order is OrderProgress {
  if (order === null) throw new OrderNotFoundError();
  if (order.state !== 'needs_attention') throw new OrderNotWaitingError(`the order is ${order.state}`);
  // A file that may not be handed over, for example: there is nothing to buy, and a person must serve the customer.
  if (items.every((item) => item.keys >= item.quantity)) throw new OrderNotWaitingError('no key is missing');
}
