import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { writeAudit } from '../audit/audit-log.js';
import { insertKeys } from './keys.queries.js';
import { isResolved } from './order-state.rules.js';
import { isPurchaseOver } from './purchase-end.rules.js';
import { noteSupplierOrders, watchPurchase } from './purchase-watch.queries.js';
import { awaitPreorders, type PurchaseProgress } from './purchases.queries.js';
import type { ReadCodes } from './read-codes.service.js';

/** Stores what CWS's orders have brought, and tells a person what is out of the ordinary. All under the order's lock. */
@Injectable()
export class StoreCodesService {
  constructor(private readonly alerts: AlertsService) {}

  /** @returns the supplier codes that are new. */
  async store(manager: EntityManager, purchase: PurchaseProgress, codes: ReadCodes): Promise<ReadonlySet<string>> {
    const { id, orderId, orderItemId, orderState, state, clientOrderId } = purchase;
    const { stored, soldTwice } = await insertKeys(manager, { purchaseId: id, orderItemId }, codes.keys);
    const soldBefore = [...codes.soldBefore, ...soldTwice];
    if (soldBefore.length > 0) {
      const message = `CWS sold ${soldBefore.length} code(s) that it had sold before: ${soldBefore.join(', ')}. None is delivered twice`;
      await this.alerts.raise('code_sold_twice', id, message, manager);
    }
    if (codes.unknownTypes.length > 0) {
      const message = `CWS sold ${codes.unknownTypes.length} code(s) of a type that is not known (purchase ${clientOrderId}): ${codes.unknownTypes.join(', ')}. They are paid for, and cannot be handed over`;
      await this.alerts.raise('code_unreadable', id, message, manager);
    } else if (state === 'fulfilling' && stored.size > 0) {
      await this.alerts.clearWithin(manager, 'code_unreadable', id);
    }
    if (stored.size === 0) return stored;
    await writeAudit(manager, 'orders', [
      { action: 'purchase.keys_stored', subjectId: id, details: { count: stored.size } },
    ]);
    if (isResolved(orderState)) {
      const message = `${stored.size} key(s) came after a person had settled the order (${orderState}): they are paid for, and delivered to nobody`;
      await this.alerts.raise('spare_keys', orderId, message, manager);
    } else if (isPurchaseOver(state)) {
      const message = `${stored.size} key(s) came of purchase ${clientOrderId} when it was over (${state}): what is not owed any more is spare`;
      await this.alerts.raise('spare_keys', orderId, message, manager);
    }
    return stored;
  }

  /** A pre-order's code may take weeks: a person hears of it, and the purchase waits on. */
  async notePreorders(manager: EntityManager, purchase: PurchaseProgress, awaited: number): Promise<void> {
    if (awaited === purchase.awaitedPreorders) return;
    const { g2aOrderId } = await awaitPreorders(manager, purchase.id, awaited);
    if (awaited === 0) await this.alerts.clearWithin(manager, 'preorder_code', purchase.id);
    if (awaited < purchase.awaitedPreorders) return;
    const message = `order ${g2aOrderId}: CWS sold ${awaited} code(s) as pre-orders, which come with the release (purchase ${purchase.clientOrderId})`;
    await this.alerts.raise('preorder_code', purchase.id, message, manager);
  }

  /**
   * Notes which orders CWS has made for a purchase. More than one, or one for a purchase that had come to nothing, was paid for
   * beside what was bought: a person hears of it. What was sent twice is watched, for the first sending may turn up as well.
   * @returns how many are known.
   */
  async noteOrders(manager: EntityManager, purchase: PurchaseProgress, shownIds: readonly string[]): Promise<number> {
    const { id, clientOrderId, cwsOrderIds, state } = purchase;
    const [first, ...others] = new Set([...cwsOrderIds, ...shownIds]);
    const known = others.length + 1;
    if (first === undefined || known === cwsOrderIds.length) return cwsOrderIds.length;
    await noteSupplierOrders(manager, id, [first, ...others]);
    if (known > 1) {
      const message = `CWS has ${known} orders for one purchase: ${[first, ...others].join(', ')}. What is not owed to the customer is kept as spare keys`;
      await this.alerts.raise('purchase_duplicated', id, message, manager);
    } else if (isPurchaseOver(state)) {
      const message = `CWS made its order ${first} for purchase ${clientOrderId}, which had been given up. What is not owed to the customer is kept as spare keys`;
      await this.alerts.raise('purchase_duplicated', id, message, manager);
    }
    const isUnsure = purchase.sendCount > 1 || known > 1 || isPurchaseOver(state);
    if (isUnsure && !purchase.isWatched) await watchPurchase(manager, id);
    return known;
  }

  /** CWS shows something under our id that cannot be told to be this purchase: a person hears of it, and CWS is asked on. */
  async noteDoubts(manager: EntityManager, purchase: PurchaseProgress, doubts: readonly string[]): Promise<void> {
    const message = `purchase ${purchase.clientOrderId}: ${doubts.join('; ')}. It may have been paid for beside what was bought`;
    await this.alerts.raise('purchase_duplicated', purchase.id, message, manager);
    if (!purchase.isWatched) await watchPurchase(manager, purchase.id);
  }
}
