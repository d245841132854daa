import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ClientPair } from './client-pair.js';

/** Lifetime of an access token in seconds. */
export const ACCESS_TOKEN_SECONDS = 3600;

const KIND = 'kf1';
const TOKEN = /^kf1\.(\d{1,12})\.([A-Za-z0-9_-]{43})$/;
const KEY_BYTES = 32;

/**
 * Access tokens `kf1.<expiry in Unix seconds>.<HMAC-SHA-256 in base64url>`. Nothing is stored: the key is derived from the
 * client id and secret, so that a token holds on every replica and after a restart, and ends with its secret.
 */
export class AccessTokens {
  readonly #keys: readonly Buffer[];
  /** Of the payload that was genuine last: G2A sends the same token for an hour. */
  #known: { readonly payload: string; readonly signatures: readonly string[] } = { payload: '', signatures: [] };

  /**
   * @param pairs whose tokens are accepted.
   * @param now milliseconds since 1970.
   */
  constructor(
    pairs: readonly ClientPair[],
    private readonly now: () => number = Date.now,
  ) {
    this.#keys = pairs.map(tokenKey);
  }

  /** A token that lives ACCESS_TOKEN_SECONDS, and only as long as this pair is accepted. */
  issue(pair: ClientPair): string {
    const payload = `${KIND}.${Math.floor(this.now() / 1000) + ACCESS_TOKEN_SECONDS}`;
    return `${payload}.${sign(payload, tokenKey(pair))}`;
  }

  isValid(token: string): boolean {
    const [, expiry, signature] = TOKEN.exec(token) ?? [];
    if (expiry === undefined || signature === undefined) return false;
    const payload = `${KIND}.${expiry}`;
    // Equally long, both. Compared as text, for base64url has several spellings of the same bytes.
    const signatures = this.signaturesOf(payload);
    const isGenuine = signatures.some((expected) => timingSafeEqual(Buffer.from(signature), Buffer.from(expected)));
    if (isGenuine) this.#known = { payload, signatures };
    return isGenuine && Number(expiry) * 1000 > this.now();
  }

  private signaturesOf(payload: string): readonly string[] {
    return payload === this.#known.payload ? this.#known.signatures : this.#keys.map((key) => sign(payload, key));
  }
}

function tokenKey({ clientId, clientSecret }: ClientPair): Buffer {
  return Buffer.from(hkdfSync('sha256', clientSecret, clientId, 'keyferry merchant access token', KEY_BYTES));
}

function sign(payload: string, key: Buffer): string {
  return createHmac('sha256', key).update(payload).digest('base64url');
}
