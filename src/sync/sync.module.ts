import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CwsModule } from '../cws/cws.module.js';
import { G2aModule } from '../g2a/g2a.module.js';
import { DesiredStateService } from './desired-state.service.js';
import { FailingOffersService } from './failing-offers.service.js';
import { StoredNotification } from './notification.entity.js';
import { OfferDeactivationsService } from './offer-deactivations.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { ReceiveNotificationsService } from './receive-notifications.service.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';
import { SimulatePricesService } from './simulate-prices.service.js';
import { SupplierFeedService } from './supplier-feed.service.js';
import { SyncCursor } from './sync-cursor.entity.js';
import { SyncClockService } from './sync-clock.service.js';
import { SyncRoundService } from './sync-round.service.js';
import { UnconfirmedPricesService } from './unconfirmed-prices.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([StoredNotification, SyncCursor]), CatalogModule, CwsModule, G2aModule],
  providers: [
    FailingOffersService,

    SyncClockService,
    SyncRoundService,
    SupplierFeedService,
    UnconfirmedPricesService,
    ReconcileOffersService,
    DesiredStateService,
    PublishOffersService,
    SimulatePricesService,
    OfferDeactivationsService,
    ReceiveNotificationsService,
  ],
  exports: [ReceiveNotificationsService],
})
export class SyncModule {}
