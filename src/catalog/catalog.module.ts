import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { StoredExchangeRate } from './exchange-rate.entity.js';
import { Offer } from './offer.entity.js';
import { PriceHistoryEntry } from './price-history.entity.js';
import { PriceSimulation } from './price-simulation.entity.js';
import { ProductMappingSupplier } from './product-mapping-supplier.entity.js';
import { ProductMapping } from './product-mapping.entity.js';
import { StockHold } from './stock-hold.entity.js';
import { SupplierProductSnapshot } from './supplier-product.entity.js';

/** What is sold, what the supplier has, what is spoken for, what G2A shows. */
@Module({
  imports: [
    TypeOrmModule.forFeature([
      Offer,
      PriceHistoryEntry,
      PriceSimulation,
      ProductMapping,
      ProductMappingSupplier,
      StockHold,
      StoredExchangeRate,
      SupplierProductSnapshot,
    ]),
  ],
})
export class CatalogModule {}
