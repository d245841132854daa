import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CwsModule } from '../cws/cws.module.js';
import { G2aModule } from '../g2a/g2a.module.js';
import { CleanUpService } from './clean-up.service.js';
import { ConfirmStopsService } from './confirm-stops.service.js';
import { CreateOffersService } from './create-offers.service.js';
import { DesiredStateService } from './desired-state.service.js';
import { FailingOffersService } from './failing-offers.service.js';
import { FeedService } from './feed.service.js';
import { FetchProductsService } from './fetch-products.service.js';
import { GuardStepsService } from './guard-steps.service.js';
import { LeadershipService } from './leadership.service.js';
import { MarketStepsService } from './market-steps.service.js';
import { StoredNotification } from './notification.entity.js';
import { OfferDeactivationsService } from './offer-deactivations.service.js';
import { OfferTypesService } from './offer-types.service.js';
import { NewsToComeService } from './news-to-come.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { ReceiveNotificationsService } from './receive-notifications.service.js';
import { ReadListingService } from './read-listing.service.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';
import { SimulatePricesService } from './simulate-prices.service.js';
import { SlowLanesService } from './slow-lanes.service.js';
import { SupplyStepsService } from './supply-steps.service.js';
import { SyncCursor } from './sync-cursor.entity.js';
import { SyncLeadership } from './sync-leadership.entity.js';
import { SweepService } from './sweep.service.js';
import { SyncClockService } from './sync-clock.service.js';
import { SyncRoundService } from './sync-round.service.js';
import { UnconfirmedPricesService } from './unconfirmed-prices.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([StoredNotification, SyncCursor, SyncLeadership]),
    CatalogModule,
    CwsModule,
    G2aModule,
  ],
  providers: [
    CleanUpService,
    FailingOffersService,
    FetchProductsService,
    GuardStepsService,
    LeadershipService,
    MarketStepsService,
    NewsToComeService,
    SlowLanesService,
    SupplyStepsService,
    SyncClockService,
    SyncRoundService,
    FeedService,
    SweepService,
    UnconfirmedPricesService,
    ConfirmStopsService,
    CreateOffersService,
    ReadListingService,
    ReconcileOffersService,
    DesiredStateService,
    PublishOffersService,
    SimulatePricesService,
    OfferDeactivationsService,
    OfferTypesService,
    ReceiveNotificationsService,
  ],
  exports: [FetchProductsService, ReceiveNotificationsService],
})
export class SyncModule {}
