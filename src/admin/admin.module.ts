import { Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { ExplainPriceService } from '../sync/explain-price.service.js';
import { OfferDeactivationsService } from '../sync/offer-deactivations.service.js';
import { UnconfirmedPricesService } from '../sync/unconfirmed-prices.service.js';
import { AdminController } from './admin.controller.js';
import { PricesController } from './prices.controller.js';
import { SupplierPricesController } from './supplier-prices.controller.js';

/** REST for people under /admin. ControlService and AlertsService come from global modules. */
@Module({
  imports: [HttpAuthModule],
  controllers: [AdminController, PricesController, SupplierPricesController],
  providers: [ExplainPriceService, OfferDeactivationsService, UnconfirmedPricesService],
})
export class AdminModule {}
