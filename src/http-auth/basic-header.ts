import { Buffer } from 'node:buffer';

/** What a caller presented by HTTP Basic authentication; nothing about it is believed yet. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

const BASIC_HEADER = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/**
 * Reads an `Authorization: Basic …` header (RFC 7617, UTF-8). Only the first colon separates: a password may contain more of
 * them, which passport-http 0.3.0 gets wrong.
 * @returns undefined when the header is missing, of another scheme, or not base64 of `name:password`.
 */
export function decodeBasicHeader(header: string | undefined): BasicCredentials | undefined {
  const encoded = BASIC_HEADER.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
