/** A token as the upstream gave it. Compared by identity: the same text may be handed out twice. */
export interface AccessToken {
  readonly value: string;
  /** Its life in seconds, counted from the answer. */
  readonly expiresInSeconds: number;
}

/** A token is given up this long before its end, so that no request arrives with one that has just died. */
const MARGIN_MS = 5_000;
/** For tokens with little life left: part of the life to give up instead. */
const MARGIN_SHARE = 0.1;
/**
 * CWS hands out the same token with its remaining life, which is 0 near its end: each token is used at least so long,
 * lest every call in that second asks for another.
 */
const MIN_USE_MS = 1_000;

/** One access token for all callers: fetched once, renewed by its own `expires_in`. A failed fetch is not remembered. */
export class AccessTokenSource {
  #current: { readonly token: AccessToken; readonly usableUntil: number } | null = null;
  #pending: Promise<AccessToken> | null = null;

  /** @param now a clock that never goes back, in milliseconds. */
  constructor(
    private readonly fetchToken: () => Promise<AccessToken>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The token to use now; concurrent callers share one fetch. */
  current(): Promise<AccessToken> {
    if (this.#current !== null && this.now() < this.#current.usableUntil) return Promise.resolve(this.#current.token);
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  /** Forgets a token that the upstream refused, unless another caller has renewed it already. */
  invalidate(token: AccessToken): void {
    if (this.#current?.token === token) this.#current = null;
  }

  async #renew(): Promise<AccessToken> {
    // Life is counted from before the request: the answer's way back is not ours to use.
    const askedAt = this.now();
    const token = await this.fetchToken();
    const lifeMs = token.expiresInSeconds * 1000;
    const margin = Math.min(MARGIN_MS, lifeMs * MARGIN_SHARE);
    this.#current = { token, usableUntil: askedAt + Math.max(lifeMs - margin, MIN_USE_MS) };
    return token;
  }
}
