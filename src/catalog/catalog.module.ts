import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountBalance } from './account-balance.entity.js';
import { StoredExchangeRate } from './exchange-rate.entity.js';
import { OfferCreation } from './offer-creation.entity.js';
import { Offer } from './offer.entity.js';
import { PriceHistoryEntry } from './price-history.entity.js';
import { PriceSimulation } from './price-simulation.entity.js';
import { PricingState } from './pricing-state.entity.js';
import { ProductMappingSupplier } from './product-mapping-supplier.entity.js';
import { ProductMapping } from './product-mapping.entity.js';
import { Repricing } from './repricing.entity.js';
import { StockHold } from './stock-hold.entity.js';
import { SupplierProductSnapshot } from './supplier-product.entity.js';
import { UnannouncedChange } from './unannounced-change.entity.js';

/** What is sold, what the supplier has, what is spoken for, what G2A shows. */
@Module({
  imports: [
    TypeOrmModule.forFeature([
      AccountBalance,
      Offer,
      OfferCreation,
      PriceHistoryEntry,
      PriceSimulation,
      PricingState,
      ProductMapping,
      ProductMappingSupplier,
      Repricing,
      StockHold,
      StoredExchangeRate,
      SupplierProductSnapshot,
      UnannouncedChange,
    ]),
  ],
})
export class CatalogModule {}
