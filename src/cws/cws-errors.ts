import type { UpstreamError } from '../upstream/upstream-error.js';

/** Code of HTTP 400 when the account cannot pay for an order (CWS API v3, Errors). */
const BALANCE_TOO_LOW = '10002';

/** Whether CWS refused because the account's balance is too low: another supplier product would be refused as well. */
export function isBalanceTooLow(error: UpstreamError): boolean {
  return error.kind === 'rejected' && error.upstreamCode === BALANCE_TOO_LOW;
}
