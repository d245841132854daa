import { Global, Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { UPSTREAM_OBSERVER, type UpstreamObserver } from '../upstream/upstream-observer.js';
import { DomainGauges } from './domain-gauges.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';
import { ReadinessService } from './readiness.service.js';
import { HeapGrowthService } from './heap-growth.service.js';

/** /livez, /readyz, /metrics, and `Metrics` for every module. The clients of CWS and G2A find their observer here. */
@Global()
@Module({
  imports: [HttpAuthModule],
  controllers: [HealthController, MetricsController],
  providers: [
    DomainGauges,
    Metrics,
    ReadinessService,
    HeapGrowthService,
    {
      provide: UPSTREAM_OBSERVER,
      inject: [Metrics],
      useFactory:
        (metrics: Metrics): UpstreamObserver =>
        (sample) => {
          metrics.observe(sample);
        },
    },
  ],
  exports: [Metrics, ReadinessService, UPSTREAM_OBSERVER],
})
export class ObservabilityModule {}
