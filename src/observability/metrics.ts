import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { UpstreamSample } from '../upstream/upstream-observer.js';

/** Every metric of ours starts so. */
export const METRIC_PREFIX = 'keyferry_';

/** Seconds; CWS and G2A answer within a second as a rule, and every call ends after 10 unless told otherwise. */
const UPSTREAM_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The metrics of this process. Other modules make their own with `new Counter({ …, registers: [metrics.registry] })`, named
 * with METRIC_PREFIX and with labels from closed sets only: never an id, a key or a URL.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly refreshers: (() => Promise<void>)[] = [];
  private readonly upstreamSeconds = new Histogram({
    name: `${METRIC_PREFIX}upstream_requests_seconds`,
    help: 'HTTP exchanges with CWS and G2A, from the request to the whole answer.',
    labelNames: ['system', 'operation', 'outcome'],
    buckets: UPSTREAM_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: METRIC_PREFIX });
  }

  /** Counts one exchange with CWS or G2A. */
  observe({ seconds, ...labels }: UpstreamSample): void {
    this.upstreamSeconds.observe(labels, seconds);
  }

  /**
   * Has `refresh` bring its metrics up to date before each scrape. It must not reject: it removes the values that it cannot
   * find out, since a stale value or a zero would be believed.
   */
  onScrape(refresh: () => Promise<void>): void {
    this.refreshers.push(refresh);
  }

  /** All metrics in Prometheus' text format. */
  async scrape(): Promise<string> {
    await Promise.all(this.refreshers.map((refresh) => refresh()));
    return this.registry.metrics();
  }
}
