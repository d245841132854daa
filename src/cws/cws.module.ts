import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { UPSTREAM_OBSERVER, type UpstreamObserver } from '../upstream/upstream-observer.js';
import { CwsClient } from './cws-client.js';

/** Provides CwsClient, built from AppConfig. */
@Module({
  imports: [HttpModule],
  providers: [
    {
      provide: CwsClient,
      inject: [AppConfig, HttpService, { token: UPSTREAM_OBSERVER, optional: true }],
      useFactory: (config: AppConfig, http: HttpService, observer?: UpstreamObserver) =>
        new CwsClient({
          baseUrl: config.cwsApiBaseUrl,
          clientId: config.cwsClientId,
          clientSecret: config.cwsClientSecret,
          clientSignature: config.cwsClientSignature,
          productsRate: config.cwsProductsRate,
          productRate: config.cwsProductRate,
          http,
          observer,
        }),
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
