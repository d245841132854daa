import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AdminModule } from './admin/admin.module.js';
import { OrderDecisionsModule } from './admin/order-decisions.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import type { AppConfig } from './config/app-config.js';
import { AppConfigModule } from './config/config.module.js';
import { ControlModule } from './control/control.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DropshippingModule } from './dropshipping/dropshipping.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { PostbacksModule } from './postbacks/postbacks.module.js';
import { SyncModule } from './sync/sync.module.js';

/** The whole program. */
@Module({})
export class AppModule {
  /** @param databaseUrl of a server whose migrations have been applied. */
  static forRoot(config: AppConfig, databaseUrl: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AppConfigModule.forRoot(config),
        DatabaseModule.forRoot(databaseUrl),
        ScheduleModule.forRoot(),
        JobsModule.forRoot(),
        ObservabilityModule,
        AlertsModule,
        ControlModule,
        OrdersModule,
        SyncModule,
        DropshippingModule,
        PostbacksModule,
        AdminModule,
        OrderDecisionsModule,
      ],
    };
  }
}
