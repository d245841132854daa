import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { currentRate } from '../catalog/exchange-rates.queries.js';
import { offerInEuro } from '../catalog/mapping-terms.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { suppliersOfItem } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { type Cents, cents } from '../money/cents.js';
import { atWorst } from '../pricing/price-guard.rules.js';
import { unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { refusedSuppliers } from './choose-supplier.queries.js';
import type { ItemProgress } from './purchases.queries.js';
import { allocateStock } from './stock-allocation.rules.js';

/** So many pieces from this supplier product, each for at most so much. */
export interface ChosenSupplier {
  readonly cwsProductId: string;
  readonly quantity: number;
  /** In the account's currency, in which CWS compares it. */
  readonly priceCap: Cents;
}

/** Chooses where to buy: the cheapest supplier that has stock and does not turn the sale into a loss. */
@Injectable()
export class ChooseSupplierService {
  private readonly logger = new Logger(ChooseSupplierService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
  ) {}

  /**
   * What to buy next for an item, or null when nobody can serve it now. A supplier that refused, and shows the same as before,
   * is passed over while another can serve.
   * @param orderQuantity keys of the whole order, over which the accepted loss is spread.
   * @param options.isFirst the first try relies on the snapshots; after a refusal, or when they show nothing, the
   *   suppliers are asked anew.
   */
  async choose(
    item: ItemProgress,
    orderQuantity: number,
    options: { isFirst: boolean },
  ): Promise<ChosenSupplier | null> {
    const isRepeating = item.deadPurchases === 0;
    const untried = options.isFirst ? await this.fromSnapshots(item, orderQuantity, { isRepeating }) : null;
    if (untried !== null) return untried;
    await this.refresh(item);
    return (
      (await this.fromSnapshots(item, orderQuantity, { isRepeating: false })) ??
      (await this.fromSnapshots(item, orderQuantity, { isRepeating: true }))
    );
  }

  /** For a person: the lowest price of one of the missing pieces, in EUR; null: nobody has stock. Undefined: no rate is known. */
  async priceAsked(item: ItemProgress): Promise<Cents | null | undefined> {
    const { manager } = this.dataSource;
    const { last: rate } = await currentRate(manager, this.config);
    if (rate === null) return undefined;
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const prices = suppliers.flatMap((supplier) => {
      const { bands, available } = atWorst(offerInEuro(supplier, rate));
      return unitPriceFor(bands, Math.min(available, item.quantity - item.keys)) ?? [];
    });
    return prices.length === 0 ? null : cents(Math.min(...prices));
  }

  /** @param options.isRepeating true: suppliers that refused may be chosen again although they show the same as before. */
  private async fromSnapshots(
    item: ItemProgress,
    orderQuantity: number,
    options: { isRepeating: boolean },
  ): Promise<ChosenSupplier | null> {
    const { manager } = this.dataSource;
    // However old the rate is: the sale was made by it, and money that is paid cannot wait for a newer one.
    const { last: rate } = await currentRate(manager, this.config);
    if (rate === null) {
      this.logger.error(`product ${item.g2aProductId} is not bought: no exchange rate is known`);
      return null;
    }
    const all = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const passedOver = options.isRepeating ? new Set<string>() : await refusedSuppliers(manager, item.id);
    const suppliers = all.filter(({ cwsProductId }) => !passedOver.has(cwsProductId));
    const { allocations } = allocateStock({
      quantity: item.quantity - item.keys,
      suppliers: suppliers.map((supplier) => offerInEuro(supplier, rate)),
      saleIncome: item.saleIncomeCents,
      maxLoss: cents(Math.floor(this.config.maxLossPerOrder / orderQuantity)),
    });
    const [first] = allocations;
    if (first === undefined) return null;
    const { cwsProductId, quantity } = first;
    // The floor is kept in euros, and what CWS may charge is told in its own currency: the dearer price, as for the floor.
    const supplier = suppliers.find((candidate) => candidate.cwsProductId === cwsProductId);
    const priceCap = unitPriceFor([...(supplier?.bands ?? []), ...(supplier?.unconfirmedBands ?? [])], quantity);
    return priceCap === null ? null : { cwsProductId, quantity, priceCap };
  }

  private async refresh(item: ItemProgress): Promise<void> {
    const { manager } = this.dataSource;
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const ids = suppliers.map((supplier) => supplier.cwsProductId);
    if (ids.length === 0) return;
    try {
      await storeSupplierAnswer(manager, ids, priceGuard(this.config), () => this.cws.products({ cwsProductIds: ids }));
    } catch (error) {
      // CWS is not reachable: what the snapshots say is all there is, and the job comes back.
      if (!(error instanceof UpstreamError)) throw error;
      this.logger.warn(`suppliers of product ${item.g2aProductId} could not be asked anew: ${error.message}`);
    }
  }
}
