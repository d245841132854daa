import { createHash } from 'node:crypto';
import type { AppConfig } from '../config/app-config.js';

/** What tells CWS's accounts apart. */
export type CwsAccount = Pick<AppConfig, 'cwsApiBaseUrl' | 'cwsClientId'>;

/**
 * Names an account of CWS in `purchase_lookups`: what its test system has shown says nothing about the live one. 16 hexadecimal
 * digits of a digest, for the client id is nobody's business in a database.
 */
export function lookupAccount({ cwsApiBaseUrl, cwsClientId }: CwsAccount): string {
  return createHash('sha256').update(`${cwsApiBaseUrl} ${cwsClientId}`).digest('hex').slice(0, 16);
}
