import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { sharedBudgets } from '../upstream/shared-budgets.js';
import { UPSTREAM_OBSERVER, type UpstreamObserver } from '../upstream/upstream-observer.js';
import { CwsClient, type CwsClientOptions } from './cws-client.js';

/** A client for the configured account, without `budgetOf` with request budgets of its own. To be closed. */
export function cwsClient(config: AppConfig, options: Partial<CwsClientOptions> = {}): CwsClient {
  return new CwsClient({
    baseUrl: config.cwsApiBaseUrl,
    clientId: config.cwsClientId,
    clientSecret: config.cwsClientSecret,
    clientSignature: config.cwsClientSignature,
    productsRate: config.cwsProductsRate,
    productRate: config.cwsProductRate,
    ordersRate: config.cwsOrdersRate,
    ...options,
  });
}

/** Provides CwsClient, built from AppConfig; its request budgets are those of all replicas. */
@Module({
  imports: [HttpModule],
  providers: [
    {
      provide: CwsClient,
      inject: [AppConfig, DataSource, HttpService, { token: UPSTREAM_OBSERVER, optional: true }],
      useFactory: (config: AppConfig, dataSource: DataSource, http: HttpService, observer?: UpstreamObserver) =>
        cwsClient(config, { budgetOf: sharedBudgets(dataSource), http, observer }),
    },
  ],
  exports: [CwsClient],
})
export class CwsModule implements OnApplicationShutdown {
  constructor(private readonly client: CwsClient) {}

  onApplicationShutdown(): void {
    this.client.close();
  }
}
