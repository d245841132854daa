import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import {
  acceptUnconfirmedPrice,
  lockPrices,
  type UnconfirmedSupplierPrice,
  unconfirmedPrices,
} from '../catalog/unconfirmed-prices.queries.js';
import { inTransaction } from '../database/one-connection.js';
import { type Cents, formatCents } from '../money/cents.js';
import { formatPriceBands, type PriceBand } from '../money/price-band.js';
import { unitPriceFor } from '../pricing/supplier-choice.rules.js';

/** What a person has accepted. */
export interface AcceptedPrice {
  /** The price that was accepted before. */
  readonly from: readonly PriceBand[];
  readonly to: readonly PriceBand[];
}

/** Why a price was not accepted. */
export type PriceNotAccepted =
  /** The product was never seen. */
  | { readonly refusal: 'unknown' }
  /** Nothing about its price is unconfirmed. */
  | { readonly refusal: 'confirmed' }
  /** Another price is unconfirmed than the one that the person has looked at. */
  | { readonly refusal: 'changed'; readonly unconfirmed: readonly PriceBand[] };

/** Supplier prices that are not believed: people are told of them, and may accept them. */
@Injectable()
export class UnconfirmedPricesService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /** Alerts to what is unconfirmed now, whoever found it, and closes the alerts about what is not any more. */
  async report(): Promise<void> {
    const unconfirmed = await unconfirmedPrices(this.dataSource.manager);
    await this.alerts.clearAllBut(
      'supplier_price_unconfirmed',
      unconfirmed.map(({ cwsProductId }) => cwsProductId),
    );
    if (unconfirmed.length === 0) return;
    const open = (await this.alerts.open()).filter(({ kind }) => kind === 'supplier_price_unconfirmed');
    const told = new Map(open.map(({ subject, message }) => [subject, message]));
    for (const price of unconfirmed) {
      const { cwsProductId } = price;
      const message = describe(price);
      // Told once: a price may stay unconfirmed for many rounds.
      if (told.get(cwsProductId) !== message)
        await this.alerts.raise('supplier_price_unconfirmed', cwsProductId, message);
    }
  }

  /**
   * A person has looked at the price and takes it for true: offers follow it from the next round on.
   * @param product.cwsProductId a UUID in any spelling.
   * @param product.price the unconfirmed price of a single key that the person has seen; null for "no price any more".
   */
  async accept(
    actor: AuditActor,
    product: { readonly cwsProductId: string; readonly price: Cents | null },
  ): Promise<AcceptedPrice | PriceNotAccepted> {
    // Alerts and audit rows are found by the spelling that the database gives.
    const cwsProductId = product.cwsProductId.toLowerCase();
    const outcome = await inTransaction(this.dataSource, async (manager): Promise<AcceptedPrice | PriceNotAccepted> => {
      const prices = await lockPrices(manager, cwsProductId);
      if (prices === null) return { refusal: 'unknown' };
      const { accepted: from, unconfirmed: to } = prices;
      if (to === null) return { refusal: 'confirmed' };
      if (unitPriceFor(to, 1) !== product.price) return { refusal: 'changed', unconfirmed: to };
      await acceptUnconfirmedPrice(manager, cwsProductId);
      await writeAudit(manager, actor, [
        { action: 'supplier_product.price_accepted', subjectId: cwsProductId, details: { from, to } },
      ]);
      return { from, to };
    });
    if (!('refusal' in outcome)) await this.alerts.clear('supplier_price_unconfirmed', cwsProductId);
    return outcome;
  }
}

/** The longest name in a message, whose length is limited. */
const MAX_NAME_LENGTH = 100;

function describe({ name, accepted, unconfirmed, since, reason, cwsProductId }: UnconfirmedSupplierPrice): string {
  const single = unitPriceFor(unconfirmed, 1);
  const price = single === null ? 'none' : formatCents(single);
  const change = `${formatPriceBands(accepted)} -> ${formatPriceBands(unconfirmed)}`;
  return (
    `${reason} since ${since.toISOString()}; to accept it: ` +
    `npm run cli -- price accept ${cwsProductId} --price ${price}; ${change}: ${name.slice(0, MAX_NAME_LENGTH)}`
  );
}
