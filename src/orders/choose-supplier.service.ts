import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { currentRate } from '../catalog/exchange-rates.queries.js';
import { offerInEuro } from '../catalog/mapping-terms.js';
import type { MappingSupplier, SupplierStock } from '../catalog/mapping-stock.queries.js';
import { suppliersOfItem } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { type Cents, cents } from '../money/cents.js';
import { atWorst } from '../pricing/price-guard.rules.js';
import { unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { forgetRefusalsOfSoldOut, refusedPurchases } from './choose-supplier.queries.js';
import { LiveStockService } from './live-stock.service.js';
import { piecesToBuy } from './order-progress.rules.js';
import { isPassedOver, type RefusedPurchase } from './passed-over.rules.js';
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
    private readonly liveStock: LiveStockService,
  ) {}

  /**
   * What to buy next for an item, or null when nobody can serve it now. A supplier that refused, and shows the same as before,
   * is passed over while another can serve; one that a part is being bought from is not asked for more.
   * @param orderQuantity keys of the whole order, over which the accepted loss is spread.
   * @param options.isFirst the first try relies on the snapshots; after a refusal, or when they show nothing, the
   *   suppliers are asked anew.
   */
  async choose(
    item: ItemProgress,
    orderQuantity: number,
    options: { isFirst: boolean },
  ): Promise<ChosenSupplier | null> {
    // What CWS refused or took back has shown that the snapshots are not true.
    const known =
      options.isFirst && item.deadPurchases === 0 ? await this.fromSnapshots(item, orderQuantity, []) : null;
    if (known !== null) return known;
    await this.refresh(item, options.isFirst ? 'spare' : 'urgent');
    const { manager } = this.dataSource;
    await forgetRefusalsOfSoldOut(manager, item.id);
    const refused = await refusedPurchases(manager, item.id);
    const other = refused.length === 0 ? null : await this.fromSnapshots(item, orderQuantity, refused);
    return other ?? this.fromSnapshots(item, orderQuantity, []);
  }

  /** For a person: the lowest price of one of the missing pieces, in EUR; null: nobody has stock. Undefined: no rate is known. */
  async priceAsked(item: ItemProgress): Promise<Cents | null | undefined> {
    const { manager } = this.dataSource;
    const { last: rate } = await currentRate(manager, this.config);
    if (rate === null) return undefined;
    const suppliers = await idleSuppliers(manager, item);
    const prices = suppliers.flatMap((supplier) => {
      const { bands, available } = atWorst(offerInEuro(supplier, rate));
      return unitPriceFor(bands, Math.min(available, piecesToBuy(item))) ?? [];
    });
    return prices.length === 0 ? null : cents(Math.min(...prices));
  }

  /** @param refused what passes suppliers over: see passed-over.rules.ts. */
  private async fromSnapshots(
    item: ItemProgress,
    orderQuantity: number,
    refused: readonly RefusedPurchase[],
  ): Promise<ChosenSupplier | null> {
    const { manager } = this.dataSource;
    // However old the rate is: the sale was made by it, and money that is paid cannot wait for a newer one.
    const { last: rate } = await currentRate(manager, this.config);
    if (rate === null) {
      this.logger.error(`product ${item.g2aProductId} is not bought: no exchange rate is known`);
      return null;
    }
    const idle = await idleSuppliers(manager, item);
    const suppliers = idle.filter(
      (supplier) => !isPassedOver(supplier.cwsProductId, refused, (quantity) => priceShown(supplier, quantity)),
    );
    const { allocations } = allocateStock({
      quantity: piecesToBuy(item),
      suppliers: suppliers.map((supplier) => offerInEuro(supplier, rate)),
      saleIncome: item.saleIncomeCents,
      maxLoss: cents(Math.floor(this.config.maxLossPerOrder / orderQuantity)),
    });
    const [first] = allocations;
    if (first === undefined) return null;
    const { cwsProductId, quantity } = first;
    // The floor is kept in euros, and what CWS may charge is told in its own currency: the dearer price, as for the floor.
    const supplier = suppliers.find((candidate) => candidate.cwsProductId === cwsProductId);
    const priceCap = supplier === undefined ? null : priceShown(supplier, quantity);
    return priceCap === null ? null : { cwsProductId, quantity, priceCap };
  }

  private async refresh(item: ItemProgress, priority: 'urgent' | 'spare'): Promise<void> {
    const suppliers = await idleSuppliers(this.dataSource.manager, item);
    await this.liveStock.refresh(
      suppliers.map((supplier) => supplier.cwsProductId),
      { priority },
    );
  }
}

/** The item's suppliers, those aside that a part is being bought from: at most one purchase is live at each. */
async function idleSuppliers(manager: EntityManager, item: ItemProgress): Promise<SupplierStock[]> {
  const all = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
  return all.filter(({ cwsProductId: id }) => !item.livePurchases.some(({ cwsProductId }) => cwsProductId === id));
}

/** What a supplier asks for a piece in its own currency, the dearer price where one is not confirmed. */
function priceShown(
  { bands, unconfirmedBands }: Pick<MappingSupplier, 'bands' | 'unconfirmedBands'>,
  quantity: number,
): Cents | null {
  return unitPriceFor([...bands, ...(unconfirmedBands ?? [])], quantity);
}
