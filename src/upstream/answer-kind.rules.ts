import type { UpstreamErrorKind } from './upstream-error.js';

/** An upstream's own words for a failure, read from an error body whose shape is known. */
export interface Refusal {
  readonly code: string | undefined;
  readonly message: string | undefined;
}

/** What an error body must be judged by, besides itself. */
export interface RefusedCall {
  readonly operation: string;
  /** HTTP status. */
  readonly status: number;
}

export type ReadRefusal = (body: unknown, call: RefusedCall) => Refusal | null;

/** Whether an HTTP status is an answer to read. 208 is not: CWS's SDK knows it as "already reported", without explanation. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300 && status !== 208;
}

/**
 * What an unsuccessful HTTP answer means.
 * @param isSafeToRepeat whether repeating the request could change anything more than sending it once.
 * @param refusal the error body; null when it is not one that we understand.
 */
export function answerKind(status: number, isSafeToRepeat: boolean, refusal: Refusal | null): UpstreamErrorKind {
  if (status === 429) return 'retry_after';
  if (!isSafeToRepeat) return (status === 400 || status === 404) && refusal !== null ? 'rejected' : 'unknown';
  if (status >= 500 || status === 408) return 'retry';
  return status >= 400 && refusal !== null ? 'rejected' : 'unknown';
}
