import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { defaultTerms, mappingTerms } from '../catalog/mapping-terms.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { mappingStock } from '../catalog/mapping-stock.queries.js';
import { suppliersOfItem } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { cents } from '../money/cents.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import type { ItemProgress } from './purchases.queries.js';
import { type Allocation, allocateStock } from './stock-allocation.rules.js';

/** Chooses where to buy: the cheapest supplier that has stock and does not turn the sale into a loss. */
@Injectable()
export class ChooseSupplierService {
  private readonly logger = new Logger(ChooseSupplierService.name);
  private readonly defaults;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
  ) {
    this.defaults = defaultTerms(config);
  }

  /**
   * What to buy next for an item, or null when nobody can serve it now.
   * @param orderQuantity keys of the whole order, over which the accepted loss is spread.
   * @param options.isFirst the first try relies on the snapshots; after a refusal, or when they show nothing, the
   *   suppliers are asked anew.
   */
  async choose(item: ItemProgress, orderQuantity: number, options: { isFirst: boolean }): Promise<Allocation | null> {
    const known = options.isFirst ? await this.fromSnapshots(item, orderQuantity) : null;
    if (known !== null) return known;
    await this.refresh(item);
    return this.fromSnapshots(item, orderQuantity);
  }

  private async fromSnapshots(item: ItemProgress, orderQuantity: number): Promise<Allocation | null> {
    const { manager } = this.dataSource;
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const mapping = await mappingStock(manager, item.g2aProductId);
    const { allocations } = allocateStock({
      quantity: item.quantity - item.keys,
      suppliers: suppliers.map((supplier) => ({ ...supplier, isReleased: true })),
      salePrice: item.salePriceCents,
      terms: mapping === null ? this.defaults : mappingTerms(mapping, this.defaults),
      maxLoss: cents(Math.floor(this.config.maxLossPerOrder / orderQuantity)),
    });
    return allocations[0] ?? null;
  }

  private async refresh(item: ItemProgress): Promise<void> {
    const { manager } = this.dataSource;
    const suppliers = await suppliersOfItem(manager, { reservationItemId: item.id, g2aProductId: item.g2aProductId });
    const ids = suppliers.map((supplier) => supplier.cwsProductId);
    if (ids.length === 0) return;
    try {
      await storeSupplierAnswer(manager, ids, () => this.cws.products({ cwsProductIds: ids }));
    } catch (error) {
      // CWS is not reachable: what the snapshots say is all there is, and the job comes back.
      if (!(error instanceof UpstreamError)) throw error;
      this.logger.warn(`suppliers of product ${item.g2aProductId} could not be asked anew: ${error.message}`);
    }
  }
}
