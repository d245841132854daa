import { UpstreamError } from '../upstream/upstream-error.js';

/** Our credentials, or our whole account, are refused, whatever is asked. */
const REFUSES_US: readonly (number | undefined)[] = [401, 403];

/**
 * Whether a failure is about what was asked: it was refused, or the answer was not understood, and other questions may well be answered.
 * Without an answer, without room, or with our credentials refused, every question fares alike.
 */
export function isAboutTheQuestion(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && !error.isRetryable && !REFUSES_US.includes(error.status);
}
