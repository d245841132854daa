import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { sharedBudgets } from '../upstream/shared-budgets.js';
import { UPSTREAM_OBSERVER, type UpstreamObserver } from '../upstream/upstream-observer.js';
import { G2aClient } from './g2a-client.js';

/** Provides G2aClient, built from AppConfig; its request budget is that of all replicas. */
@Module({
  imports: [HttpModule],
  providers: [
    {
      provide: G2aClient,
      inject: [AppConfig, DataSource, HttpService, { token: UPSTREAM_OBSERVER, optional: true }],
      useFactory: (config: AppConfig, dataSource: DataSource, http: HttpService, observer?: UpstreamObserver) =>
        new G2aClient({
          baseUrl: config.g2aApiBaseUrl,
          apiKey: config.g2aApiKey,
          apiSecret: config.g2aApiSecret,
          rate: config.g2aRate,
          budgetOf: sharedBudgets(dataSource),
          http,
          observer,
        }),
    },
  ],
  exports: [G2aClient],
})
export class G2aModule implements OnApplicationShutdown {
  constructor(private readonly client: G2aClient) {}

  onApplicationShutdown(): void {
    this.client.close();
  }
}
