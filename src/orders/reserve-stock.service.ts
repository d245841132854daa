import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { writeAudit } from '../audit/audit-log.js';
import { defaultTerms, mappingTerms, supplierOffers } from '../catalog/mapping-terms.js';
import { lowestShownPrices } from '../catalog/offers.queries.js';
import { holdStock, lockStock } from '../catalog/stock-holds.queries.js';
import { databaseNow, type MappingStock, mappingStock } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { ControlService } from '../control/control.service.js';
import { type Cents, NO_CENTS } from '../money/cents.js';
import { decideListing } from '../pricing/listing-decision.rules.js';
import {
  InsufficientStockError,
  NoExchangeRateError,
  ProductNotFoundError,
  ServicePausedError,
  StockUnknownError,
  UnprofitableError,
} from './order-errors.js';
import { insertReservation, type NewReservationItem } from './reservations.queries.js';
import { type Allocation, allocateStock } from './stock-allocation.rules.js';

/** One product that a customer wants; each product at most once. */
export interface RequestedItem {
  readonly g2aProductId: number;
  /** 1 or more. */
  readonly quantity: number;
  /** As G2A wrote them; kept for people. */
  readonly quotedUnitPrice: string | null;
  readonly quotedBasePrice: string | null;
}

/** What others can still reserve of a product. */
export interface ProductStock {
  readonly g2aProductId: number;
  readonly inventorySize: number;
}

interface ReservedItem {
  readonly item: NewReservationItem;
  readonly allocations: readonly Allocation[];
  readonly remaining: number;
}

/** Claims stock for a customer, all products or none. */
@Injectable()
export class ReserveStockService {
  private readonly defaults;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly control: ControlService,
  ) {
    this.defaults = defaultTerms(config);
  }

  /**
   * @throws ServicePausedError, NoExchangeRateError, ProductNotFoundError, InsufficientStockError, UnprofitableError, StockUnknownError; nothing
   *   is reserved then.
   */
  async reserve(requested: readonly RequestedItem[]): Promise<{ reservationId: string; stock: ProductStock[] }> {
    if ((await this.control.pauseReason()) !== null) throw new ServicePausedError();
    // Only euros can be compared with what the sale brings.
    if (this.config.cwsTargetCurrency !== 'EUR') throw new NoExchangeRateError();
    const reservationId = randomUUID();
    const reserved = await this.dataSource.transaction(async (manager) => {
      const products = requested.map((item) => item.g2aProductId);
      await lockStock(manager, products);
      const mappings = new Map((await mappingStock(manager, products)).map((stock) => [stock.g2aProductId, stock]));
      const prices = await lowestShownPrices(manager, products);
      const freshSince = (await databaseNow(manager)).getTime() - this.config.staleAfterSeconds * 1000;
      // Two products of one reservation may share a supplier: what the first takes, the second cannot.
      const taken = new Map<string, number>();
      const items = requested.map((item) =>
        this.allocate(item, mappings.get(item.g2aProductId), prices.get(item.g2aProductId), taken, freshSince),
      );
      await this.write(manager, reservationId, items);
      return items;
    });
    return {
      reservationId,
      stock: reserved.map(({ item, remaining }) => ({ g2aProductId: item.g2aProductId, inventorySize: remaining })),
    };
  }

  private allocate(
    requested: RequestedItem,
    mapping: MappingStock | undefined,
    shownPrice: Cents | undefined,
    taken: Map<string, number>,
    freshSince: number,
  ): ReservedItem {
    const { g2aProductId, quantity } = requested;
    if (!mapping?.isEnabled) throw new ProductNotFoundError(g2aProductId);
    const fresh = mapping.suppliers.filter((supplier) => supplier.freshAsOf >= freshSince);
    const terms = mappingTerms(mapping, this.defaults);
    const suppliers = supplierOffers({ ...mapping, suppliers: fresh }).map((supplier) => ({
      ...supplier,
      available: supplier.available - (taken.get(supplier.cwsProductId) ?? 0),
    }));

    const salePrice = shownPrice ?? this.listedPrice(suppliers, terms);
    const { allocations, missing, remaining, isTooDear } = allocateStock({
      quantity,
      suppliers,
      // Nothing is known to be shown and nothing could be listed: no price, so nothing is affordable.
      salePrice: salePrice ?? NO_CENTS,
      terms,
      maxLoss: NO_CENTS,
    });
    if (salePrice === null || missing > 0) {
      if (fresh.length < mapping.suppliers.length) throw new StockUnknownError(g2aProductId);
      if (isTooDear) throw new UnprofitableError(g2aProductId);
      throw new InsufficientStockError(g2aProductId, quantity - missing);
    }
    for (const { cwsProductId, quantity: pieces } of allocations) {
      taken.set(cwsProductId, (taken.get(cwsProductId) ?? 0) + pieces);
    }
    const { quotedUnitPrice, quotedBasePrice } = requested;
    return {
      item: { id: randomUUID(), g2aProductId, quantity, salePriceCents: salePrice, quotedUnitPrice, quotedBasePrice },
      allocations,
      remaining,
    };
  }

  /** For an offer that no listing has shown us yet: the price that we would show. */
  private listedPrice(
    suppliers: Parameters<typeof decideListing>[0]['suppliers'],
    terms: Parameters<typeof decideListing>[0]['terms'],
  ): Cents | null {
    const { stockBuffer, maxDeclaredStock } = this.config;
    const decision = decideListing({ suppliers, terms, stockBuffer, maxDeclaredStock });
    return decision.isSellable ? decision.price : null;
  }

  private async write(manager: EntityManager, reservationId: string, reserved: readonly ReservedItem[]): Promise<void> {
    const { reservationTtlSeconds } = this.config;
    const items = reserved.map(({ item }) => item);
    await insertReservation(manager, reservationId, items, reservationTtlSeconds);
    const allocations = reserved.flatMap(({ item, allocations }) =>
      allocations.map((allocation) => ({ reservationItemId: item.id, ...allocation })),
    );
    await holdStock(manager, allocations, reservationTtlSeconds);
    await writeAudit(manager, 'g2a', [
      {
        action: 'reservation.created',
        subjectId: reservationId,
        details: {
          items: items.map(({ g2aProductId, quantity, salePriceCents }) => ({
            g2aProductId,
            quantity,
            salePriceCents,
          })),
        },
      },
    ]);
  }
}
