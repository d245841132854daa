/** Who did not answer as hoped. */
export type UpstreamSystem = 'cws' | 'g2a';

/**
 * What a failed call means to its caller:
 * - `rejected`: the upstream understood and refused; the same request would be refused again.
 * - `retry`: nothing was sent, or the call may be repeated without harm.
 * - `retry_after`: the upstream, or our own budget, has no room now; nothing was done.
 * - `unknown`: an unsafe call may or may not have had its effect, or an answer was not understood.
 */
export type UpstreamErrorKind = 'rejected' | 'retry' | 'retry_after' | 'unknown';

export interface UpstreamErrorDetails {
  readonly system: UpstreamSystem;
  readonly kind: UpstreamErrorKind;
  /** What was tried: method and path template, never a path with its query. */
  readonly subject: string;
  /** What happened, already free of secrets; cut to 200 characters. */
  readonly reason?: string;
  readonly status?: number;
  readonly upstreamCode?: string;
  readonly retryAfterSeconds?: number;
  readonly isSocketReset?: boolean;
}

const MAX_REASON_LENGTH = 200;
const MAX_CODE_LENGTH = 64;

/**
 * A call to CWS or G2A that brought no usable answer. Holds no headers, tokens, query strings or bodies and no `cause`,
 * so it may be logged whole. Failures to get an access token are `retry` or `retry_after` whatever the token endpoint
 * answered: the call that needed the token was never sent.
 */
export class UpstreamError extends Error {
  readonly system: UpstreamSystem;
  readonly kind: UpstreamErrorKind;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** The error code in the upstream's body, as text. */
  readonly upstreamCode: string | undefined;
  /** Seconds after which there may be room again; set for `retry_after`. */
  readonly retryAfterSeconds: number | undefined;
  /** We reset the connection of a write given up on, so that its bytes cannot arrive later. */
  readonly isSocketReset: boolean;
  readonly #details: UpstreamErrorDetails;

  constructor(details: UpstreamErrorDetails) {
    const { system, subject, status, reason } = details;
    const upstreamCode = details.upstreamCode === undefined ? undefined : bound(details.upstreamCode, MAX_CODE_LENGTH);
    const facts = [
      status === undefined ? undefined : `HTTP ${status}`,
      upstreamCode === undefined ? undefined : `code ${upstreamCode}`,
      reason === undefined ? undefined : bound(reason, MAX_REASON_LENGTH),
    ].filter((fact) => fact !== undefined);
    super(`${system} ${subject}: ${facts.join(', ')}`);
    this.name = 'UpstreamError';
    this.system = system;
    this.kind = details.kind;
    this.status = status;
    this.upstreamCode = upstreamCode;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.isSocketReset = details.isSocketReset ?? false;
    this.#details = details;
  }

  /** Whether the same call may simply be made again, now or after `retryAfterSeconds`. */
  get isRetryable(): boolean {
    return this.kind === 'retry' || this.kind === 'retry_after';
  }

  /** The same failure, seen by a caller to whom it means something else. */
  withKind(kind: UpstreamErrorKind): UpstreamError {
    return new UpstreamError({ ...this.#details, kind });
  }
}

// Upstream text is foreign: line breaks would forge log lines.
function bound(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
