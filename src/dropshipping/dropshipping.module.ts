import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AppConfig } from '../config/app-config.js';
import { FailureLimiter } from '../http-auth/failure-limiter.js';
import { OrdersModule } from '../orders/orders.module.js';
import { SyncModule } from '../sync/sync.module.js';
import { AccessTokens } from './auth/access-tokens.js';
import { AdmitClientService } from './auth/admit-client.service.js';
import { MerchantBasicStrategy } from './auth/merchant-basic.strategy.js';
import { MerchantCredentials } from './auth/merchant-credentials.js';
import { TokenController } from './auth/token.controller.js';
import { ErrorFilter } from './errors/error.filter.js';
import { RouteTable } from './errors/route-table.js';
import { HealthcheckController } from './healthcheck.controller.js';
import { NotificationsController } from './notifications.controller.js';
import { OrderController } from './order.controller.js';
import { ReservationController } from './reservation.controller.js';

/** The contract that G2A calls. The application must be set up by fastifyOptions and configureHttp. */
@Module({
  imports: [OrdersModule, SyncModule],
  controllers: [
    TokenController,
    HealthcheckController,
    ReservationController,
    OrderController,
    NotificationsController,
  ],
  providers: [
    {
      provide: MerchantCredentials,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => MerchantCredentials.fromConfig(config),
    },
    {
      provide: AccessTokens,
      inject: [MerchantCredentials],
      useFactory: ({ pairs }: MerchantCredentials) => new AccessTokens(pairs),
    },
    { provide: FailureLimiter, useFactory: () => new FailureLimiter(() => performance.now()) },
    AdmitClientService,
    MerchantBasicStrategy,
    RouteTable,
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
export class DropshippingModule {}
