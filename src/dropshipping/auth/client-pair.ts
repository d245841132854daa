import { decodeBasicHeader } from '../../http-auth/basic-header.js';

/** What G2A presents to us. */
export interface ClientPair {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The pair in an `Authorization: Basic` header; null when there is none. */
export function readBasicPair(header: string | undefined): ClientPair | null {
  const credentials = decodeBasicHeader(header);
  return credentials === undefined ? null : { clientId: credentials.username, clientSecret: credentials.password };
}

/**
 * The readings of a token request's Basic header; none when there is no such header. OAuth2 clients form-encode id and secret
 * before they join them (RFC 6749, section 2.3.1), plain HTTP clients do not.
 */
export function readOAuthBasicPairs(header: string | undefined): ClientPair[] {
  const pair = readBasicPair(header);
  if (pair === null) return [];
  try {
    return [pair, { clientId: formDecode(pair.clientId), clientSecret: formDecode(pair.clientSecret) }];
  } catch {
    // A lone percent sign: certainly not form-encoded.
    return [pair];
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
