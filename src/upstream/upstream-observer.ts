import type { UpstreamErrorKind, UpstreamSystem } from './upstream-error.js';

/** One HTTP exchange, for metrics. */
export interface UpstreamSample {
  readonly system: UpstreamSystem;
  /** The client's method, such as `placeOrder`, or `token`. */
  readonly operation: string;
  /** `stopped`: beforeSend did not let it out. */
  readonly outcome: 'ok' | 'stopped' | UpstreamErrorKind;
  /** From the request to the whole answer; waiting for the budget is not counted. */
  readonly seconds: number;
}

/** Must not throw: the answer of a paid order may be on its way through. */
export type UpstreamObserver = (sample: UpstreamSample) => void;

/** Injection token of an optional UpstreamObserver. */
export const UPSTREAM_OBSERVER = Symbol('UPSTREAM_OBSERVER');
