import { Injectable } from '@nestjs/common';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierOrder, SupplierOrderSummary } from '../cws/cws.types.js';

/** CWS's clock is not ours: the history is asked for with an hour of room on both sides. */
const HISTORY_MARGIN_MS = 3_600_000;

/** What a purchase must be recognized by. */
export interface SoughtPurchase {
  readonly clientOrderId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly createdAt: Date;
}

/** Finds purchases at CWS whose answer was lost. Never buys. */
@Injectable()
export class LookUpPurchaseService {
  constructor(private readonly cws: CwsClient) {}

  /**
   * Asks by our own id, as CWS's self link shows, and in the history: either may be the one that works.
   * @returns all that CWS has under our id; empty when both were asked and neither knows it.
   * @throws UpstreamError when one of them could not be asked: then nothing is known.
   */
  async find(purchase: SoughtPurchase): Promise<SupplierOrder[]> {
    const direct = await this.cws.order(purchase.clientOrderId);
    const listed = (await this.history(purchase.createdAt)).filter(
      ({ clientOrderId }) => clientOrderId === purchase.clientOrderId,
    );
    const others = await Promise.all(
      listed
        .filter(({ cwsOrderId }) => cwsOrderId !== direct?.cwsOrderId)
        .map(({ cwsOrderId }) => this.cws.order(cwsOrderId)),
    );
    return [direct, ...others].filter((order) => order !== null).filter((order) => isOurs(purchase, order));
  }

  /** All that was ordered since then; a window without gaps. */
  async history(since: Date): Promise<SupplierOrderSummary[]> {
    const from = new Date(since.getTime() - HISTORY_MARGIN_MS);
    const to = new Date(Date.now() + HISTORY_MARGIN_MS);
    return this.cws.orderHistory({ from, to });
  }
}

/** Never attach on doubt: the answer must carry our id and our product, and no more of it than we wanted. */
function isOurs(purchase: SoughtPurchase, order: SupplierOrder): boolean {
  return (
    order.clientOrderId === purchase.clientOrderId &&
    order.lines.length > 0 &&
    order.lines.every((line) => line.cwsProductId === purchase.cwsProductId) &&
    order.lines.reduce((codes, line) => codes + line.codes.length, 0) <= purchase.quantity
  );
}
