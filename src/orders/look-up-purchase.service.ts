import { Injectable, Logger } from '@nestjs/common';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierOrder, SupplierOrderSummary } from '../cws/cws.types.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { isTakenBack } from './purchase-end.rules.js';
import { CLIENT_ORDER_ID_START, isOurs, isSameReference, type SoughtPurchase } from './supplier-order-match.rules.js';

/** Whoever only waits for codes goes behind purchases and those whose outcome nobody knows. */
const POLL_LIMITS: CallLimits = { priority: 'upkeep' };

/** CWS's clock is not ours: the history is asked for with an hour of room on both sides. */
const HISTORY_MARGIN_MS = 3_600_000;

/** What CWS shows of a purchase. Only when both are empty does CWS not know it. */
export interface FoundOrders {
  readonly orders: SupplierOrder[];
  /** Traces of our id that are not attached: each may be the purchase, and none can be told to be. */
  readonly doubts: string[];
}

/** Finds purchases at CWS whose answer was lost. Never buys. */
@Injectable()
export class LookUpPurchaseService {
  private readonly logger = new Logger(LookUpPurchaseService.name);

  constructor(private readonly cws: CwsClient) {}

  /**
   * Asks by our own id, as CWS's self link shows, and in the history: either may be the one that works.
   * @param knownIds CWS's ids of the orders that were made for it, as far as they are known; asked for too.
   * @throws UpstreamError when one of them could not be asked: then nothing is known.
   */
  async find(
    purchase: SoughtPurchase & { readonly createdAt: Date },
    knownIds: readonly string[],
  ): Promise<FoundOrders> {
    const { clientOrderId } = purchase;
    const direct = await this.cws.order(clientOrderId);
    const listed = (await this.history(purchase.createdAt))
      .filter((order) => isSameReference(order.clientOrderId, clientOrderId))
      .map(({ cwsOrderId }) => cwsOrderId);
    const others = [...new Set([...knownIds, ...listed])].filter((id) => id !== direct?.cwsOrderId);
    const shown = await Promise.all(others.map(async (id) => ({ id, order: await this.details(id) })));
    if (direct !== null) shown.unshift({ id: direct.cwsOrderId, order: direct });

    const orders: SupplierOrder[] = [];
    const doubts: string[] = [];
    for (const { id, order } of shown) {
      const isKnown = knownIds.includes(id);
      if (order !== null && (isKnown || isOurs(purchase, order))) orders.push(order);
      else if (order !== null) doubts.push(`CWS's order ${id} has our id, and is not what was to be bought`);
      else if (!isKnown) doubts.push(`CWS lists its order ${id} under our id, and does not show it`);
    }
    return { orders, doubts };
  }

  /** The orders of these ids of CWS, for whom only their codes are missing; those that it does not know are not among them. */
  async read(cwsOrderIds: readonly string[]): Promise<SupplierOrder[]> {
    const orders = await Promise.all(cwsOrderIds.map((id) => this.details(id, POLL_LIMITS)));
    return orders.filter((order) => order !== null);
  }

  /**
   * Reads those that CWS took back once more: what they have brought until then is kept. One whose end CWS does not confirm
   * counts as running, and is asked about again.
   */
  async confirmEnds(orders: readonly SupplierOrder[]): Promise<SupplierOrder[]> {
    return Promise.all(orders.map(async (order) => (isTakenBack(order) ? this.confirmEnd(order) : order)));
  }

  /** The history since then, for those of whom only codes are missing. */
  async historyOfPending(since: Date): Promise<SupplierOrderSummary[]> {
    return this.history(since, POLL_LIMITS);
  }

  /** All that was ordered since then, orders of others that cannot be read aside; a window without gaps. */
  async history(since: Date, limits: CallLimits = {}): Promise<SupplierOrderSummary[]> {
    const from = new Date(since.getTime() - HISTORY_MARGIN_MS);
    const to = new Date(Date.now() + HISTORY_MARGIN_MS);
    const onSkipped = (reasons: readonly string[]): void => {
      this.logger.debug(`${reasons.length} orders of others in CWS's history cannot be read: ${reasons.join('; ')}`);
    };
    return this.cws.orderHistory({ from, to, ownPrefix: CLIENT_ORDER_ID_START, onSkipped }, limits);
  }

  private async details(cwsOrderId: string, limits: CallLimits = {}): Promise<SupplierOrder | null> {
    const order = await this.cws.order(cwsOrderId, limits);
    if (order !== null && order.cwsOrderId !== cwsOrderId) {
      throw new Error(`CWS answered with its order ${order.cwsOrderId} when it was asked for ${cwsOrderId}`);
    }
    return order;
  }

  private async confirmEnd(order: SupplierOrder): Promise<SupplierOrder> {
    try {
      const again = await this.details(order.cwsOrderId);
      if (again !== null) return { ...again, lines: [...again.lines, ...order.lines] };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
    }
    return { ...order, status: 'fulfilling' };
  }
}
