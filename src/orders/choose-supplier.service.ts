import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { currentRate } from '../catalog/exchange-rates.queries.js';
import { offerInEuro } from '../catalog/mapping-terms.js';
import type { MappingSupplier } from '../catalog/mapping-stock.queries.js';
import { suppliersOfItem } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { type Cents, cents } from '../money/cents.js';
import { atWorst } from '../pricing/price-guard.rules.js';
import { unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { forgetRefusalsOfSoldOut, type RefusedPurchase, refusedPurchases } from './choose-supplier.queries.js';
import { LiveStockService } from './live-stock.service.js';
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
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const prices = suppliers.flatMap((supplier) => {
      const { bands, available } = atWorst(offerInEuro(supplier, rate));
      return unitPriceFor(bands, Math.min(available, item.quantity - item.keys)) ?? [];
    });
    return prices.length === 0 ? null : cents(Math.min(...prices));
  }

  /** @param refused suppliers that are passed over, unless they ask another price than they had refused; after two refusals always. */
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
    const all = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const suppliers = all.filter((supplier) => !isPassedOver(supplier, refused));
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
    const priceCap = supplier === undefined ? null : priceShown(supplier, quantity);
    return priceCap === null ? null : { cwsProductId, quantity, priceCap };
  }

  private async refresh(item: ItemProgress, priority: 'urgent' | 'spare'): Promise<void> {
    const { manager } = this.dataSource;
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    await this.liveStock.refresh(
      suppliers.map((supplier) => supplier.cwsProductId),
      priority,
    );
  }
}

/** What a supplier asks for a piece in its own currency, the dearer price where one is not confirmed. */
function priceShown(
  { bands, unconfirmedBands }: Pick<MappingSupplier, 'bands' | 'unconfirmedBands'>,
  quantity: number,
): Cents | null {
  return unitPriceFor([...bands, ...(unconfirmedBands ?? [])], quantity);
}

function isPassedOver(
  supplier: Pick<MappingSupplier, 'cwsProductId' | 'bands' | 'unconfirmedBands'>,
  refused: readonly RefusedPurchase[],
): boolean {
  const own = refused.filter(({ cwsProductId }) => cwsProductId === supplier.cwsProductId);
  return own.length > 1 || own.some(({ quantity, priceCap }) => priceShown(supplier, quantity) === priceCap);
}
