import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { isBalanceTooLow } from '../cws/cws-errors.js';
import type { SupplierOrder } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import type { PurchaseIntent } from './purchases.queries.js';
import type { SendWindow } from './send-window.js';
import { SettlePurchaseService } from './settle-purchase.service.js';
import { WatchBalanceService } from './watch-balance.service.js';

/** After this time it is tried again, when CWS does not say how long it has no room. */
const RETRY_SECONDS = 5;

/** Thrown into the client when the send window has closed: nothing was sent. */
class SendWindowClosedError extends Error {}

/** A purchase whose sending was claimed and committed: nobody else sends it. */
export interface ClaimedPurchase extends PurchaseIntent {
  readonly clientOrderId: string;
  /** The claimed sending included. */
  readonly sendCount: number;
  /** Opened before the claim was committed. */
  readonly sendWindow: SendWindow;
}

/**
 * What became of a sending:
 * - `settled`: it happened, or may have happened;
 * - `refused`: it certainly did not and never will; another supplier may be tried;
 * - `unpayable`: likewise, because the account has too little money;
 * - `later`: nothing was sent or nothing was done; the same purchase is sent again after a while.
 */
export type PlaceOutcome = 'settled' | 'refused' | 'unpayable' | 'later';

/** Sends a purchase and writes down what became of it. */
@Injectable()
export class PlacePurchaseService {
  constructor(
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
    private readonly settling: SettlePurchaseService,
    private readonly balance: WatchBalanceService,
  ) {}

  async place(purchase: ClaimedPurchase): Promise<PlaceOutcome> {
    let answer: SupplierOrder;
    try {
      answer = await this.cws.placeOrder({
        clientOrderId: purchase.clientOrderId,
        cwsProductId: purchase.cwsProductId,
        quantity: purchase.quantity,
        unitPriceCap: purchase.priceCapCents,
        beforeSend: () => {
          if (!purchase.sendWindow.isOpen) throw new SendWindowClosedError();
        },
      });
    } catch (error) {
      return this.writeFailure(purchase, error);
    }
    // Outside the try: from here on it is bought, and no failure may make it look as if it were not.
    await this.settling.settle(purchase.id, [answer]);
    await this.balance.noteBought();
    return 'settled';
  }

  private async writeFailure(purchase: ClaimedPurchase, error: unknown): Promise<PlaceOutcome> {
    if (error instanceof SendWindowClosedError) {
      await this.settling.markUnsent(purchase, 'not sent: the send window had closed', RETRY_SECONDS);
      return 'later';
    }
    if (!(error instanceof UpstreamError)) throw error;
    if (error.isRetryable) {
      await this.settling.markUnsent(purchase, error.message, error.retryAfterSeconds ?? RETRY_SECONDS);
      return 'later';
    }
    // Only of the one sending that there ever was says a refusal that nothing was bought.
    if (error.kind === 'unknown' || purchase.sendCount > 1) {
      await this.settling.markUnknown(purchase, error.message, this.settleSeconds(error));
      return 'settled';
    }
    const isRefused = !isBalanceTooLow(error);
    await this.settling.markDead(purchase, error.message, { isRefused });
    if (isRefused) return 'refused';
    await this.balance.noteRefused(purchase);
    return 'unpayable';
  }

  /**
   * What was stopped by a reset of its connection cannot arrive late; what was only given up on can, and so can what was answered:
   * by a gateway's time-out, for example, while CWS is still at work.
   */
  private settleSeconds(error: UpstreamError): number {
    return error.isSocketReset ? this.config.purchaseResetSettleSeconds : this.config.purchaseSettleSeconds;
  }
}
