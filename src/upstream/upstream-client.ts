import type { AgentOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { whenServed } from '../jobs/when-served.js';
import { type AccessToken, AccessTokenSource } from './access-token-source.js';
import { answerKind, isSuccess, type ReadRefusal } from './answer-kind.rules.js';
import { type Agents, createAgents } from './connected-agents.js';
import { exchange, ExchangeError, type RawAnswer } from './exchange.js';
import type { RequestBudget } from './request-budget.js';
import type { RequestPriority } from './request-priority.rules.js';
import type { UpstreamObserver, UpstreamSample } from './upstream-observer.js';
import { UpstreamError, type UpstreamErrorKind, type UpstreamSystem } from './upstream-error.js';
import { readCount, readObject, readText, WireShapeError } from './wire.js';

/** What both clients are built with. */
export interface UpstreamConnectionOptions {
  /** Without a final slash. */
  readonly baseUrl: string;
  readonly http?: HttpService;
  /** Default deadline of one exchange in milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  readonly observer?: UpstreamObserver;
  /** Options of every TLS connection, for example a private certificate authority. */
  readonly tls?: AgentOptions;
}

export interface UpstreamClientOptions extends UpstreamConnectionOptions {
  readonly system: UpstreamSystem;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Sent with every request, the token's too. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokenBudget?: RequestBudget;
  /** Reads an error body; null when it is not one of this upstream. */
  readonly readRefusal: ReadRefusal;
}

/** How long a call may take, and whom it lets go first. */
export interface CallLimits {
  /** Its place among those that wait for the request budget, and what it leaves to the others; default `normal`. */
  readonly priority?: RequestPriority;
  /** Deadline of one exchange in milliseconds, connection and body included. */
  readonly timeoutMs?: number;
  /** How long to wait for room in the request budget, in milliseconds; default 60,000. */
  readonly maxWaitMs?: number;
  /** How often a call that is safe to repeat is repeated after `retry`. */
  readonly retries?: number;
}

export interface UpstreamRequest<T> extends CallLimits {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path template: `/v3/orders/{orderId}`. */
  readonly path: string;
  readonly pathValues?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** False for what must not happen twice: never retried, and every unclear end is `unknown`. */
  readonly isSafeToRepeat: boolean;
  readonly budget?: RequestBudget;
  readonly beforeSend?: () => void;
  readonly readRefusal?: ReadRefusal;
  /**
   * Reads the JSON of a successful answer (undefined for an empty body).
   * @param answeredAt when, by the upstream's clock, in whole seconds; null: it does not tell.
   */
  readonly parse: (body: unknown, answeredAt: Date | null) => T;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_WAIT_MS = 60_000;
const DEFAULT_RETRY_AFTER_SECONDS = 5;
const FIRST_RETRY_GAP_MS = 200;
/** Characters of an answer that takes as long to read as to parse: whoever waits in this process comes between. */
const LONG_TEXT = 65_536;
const TOKEN_PATH = '/oauth/token';
/** The operation that fetches an access token. */
export const TOKEN_OPERATION = 'token';

/** JSON over HTTP to one upstream: access token, budget, deadline, classified failures, and retries where asked for. */
export class UpstreamClient {
  readonly #http: HttpService;
  readonly #agents: Agents;
  readonly #tokens = new AccessTokenSource(() => this.#fetchToken());

  constructor(private readonly options: UpstreamClientOptions) {
    this.#http = options.http ?? new HttpService();
    this.#agents = createAgents(options.tls);
  }

  /**
   * Makes one call. A 401 renews the token and sends once more: a request refused for its token was not executed.
   * @throws UpstreamError, or whatever `beforeSend` throws.
   */
  async request<T>(request: UpstreamRequest<T>): Promise<T> {
    for (let repeats = 0; ; repeats += 1) {
      try {
        return await this.#sendAuthorized(request);
      } catch (error) {
        if (!request.isSafeToRepeat || repeats >= (request.retries ?? 0) || !isPassing(error)) throw error;
        await sleep(FIRST_RETRY_GAP_MS * 2 ** repeats * (0.5 + Math.random()));
      }
    }
  }

  /** Like request, but null for a 404 in the upstream's own words. A 404 of something in between stays an error. */
  async find<T>(request: UpstreamRequest<T>): Promise<T | null> {
    try {
      return await this.request(request);
    } catch (error) {
      if (error instanceof UpstreamError && error.status === 404 && error.kind === 'rejected') return null;
      throw error;
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  async #sendAuthorized<T>(request: UpstreamRequest<T>): Promise<T> {
    let token = await this.#tokenWithRoom(request);
    try {
      return await this.#send(request, token);
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.status !== 401) throw error;
      this.#tokens.invalidate(token);
      token = await this.#tokenWithRoom(request);
      return await this.#send(request, token);
    }
  }

  // A token is had before the budget is asked, so that room taken is used at once; asking again after what may have been
  // a long wait costs nothing while the token lives.
  async #tokenWithRoom<T>(request: UpstreamRequest<T>): Promise<AccessToken> {
    await this.#tokens.current();
    await request.budget?.acquire({
      priority: request.priority,
      maxWaitMs: request.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
    });
    return this.#tokens.current();
  }

  async #fetchToken(): Promise<AccessToken> {
    const { clientId, clientSecret, tokenBudget } = this.options;
    try {
      await tokenBudget?.acquire({ maxWaitMs: DEFAULT_MAX_WAIT_MS });
      return await this.#send<AccessToken>(
        {
          operation: TOKEN_OPERATION,
          method: 'POST',
          path: TOKEN_PATH,
          // A form, not a query: URLs end up in logs.
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            client_id: clientId,
            client_secret: clientSecret,
          }),
          isSafeToRepeat: true,
          budget: tokenBudget,
          parse: readToken,
        },
        null,
      );
    } catch (error) {
      // Whatever became of the token request, the call that needs the token was not sent.
      if (error instanceof UpstreamError && !error.isRetryable) throw error.withKind('retry');
      throw error;
    }
  }

  async #send<T>(request: UpstreamRequest<T>, token: AccessToken | null): Promise<T> {
    const startedAt = performance.now();
    let outcome: UpstreamSample['outcome'] = 'stopped';
    try {
      const result = await this.#read(request, token, await this.#transmit(request, token));
      outcome = 'ok';
      return result;
    } catch (error) {
      if (error instanceof UpstreamError) outcome = error.kind;
      throw error;
    } finally {
      const seconds = (performance.now() - startedAt) / 1000;
      this.options.observer?.({ system: this.options.system, operation: request.operation, outcome, seconds });
    }
  }

  async #transmit<T>(request: UpstreamRequest<T>, token: AccessToken | null): Promise<RawAnswer> {
    const isForm = request.body instanceof URLSearchParams;
    try {
      return await exchange(this.#http.axiosRef, this.#agents, {
        method: request.method,
        url: this.#url(request),
        headers: {
          Accept: 'application/json',
          'User-Agent': 'keyferry',
          ...(request.body === undefined
            ? {}
            : { 'Content-Type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
          ...this.options.headers,
          ...(token === null ? {} : { Authorization: `Bearer ${token.value}` }),
        },
        body: request.body instanceof URLSearchParams ? request.body.toString() : JSON.stringify(request.body),
        timeoutMs: request.timeoutMs ?? this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        // A write given up on must not arrive later: it would buy twice, or bring back an older price.
        isResetOnTimeout: request.method !== 'GET',
        beforeSend: request.beforeSend,
      });
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
      const isUnclear = error.isWritten && (error.isTooLarge || !request.isSafeToRepeat);
      throw this.#error(request, isUnclear ? 'unknown' : 'retry', {
        reason: error.reason,
        isSocketReset: error.isSocketReset,
      });
    }
  }

  async #read<T>(request: UpstreamRequest<T>, token: AccessToken | null, answer: RawAnswer): Promise<T> {
    const { status } = answer;
    const body = parseJson(answer.text);
    if (answer.text.length > LONG_TEXT) await whenServed();
    if (!isSuccess(status)) throw this.#refused(request, token, answer, body.value);
    if (!body.isJson) throw this.#error(request, 'unknown', { status, reason: 'the answer is not JSON' });
    try {
      return request.parse(body.value, answer.answeredAt);
    } catch (error) {
      if (!(error instanceof WireShapeError)) throw error;
      throw this.#error(request, 'unknown', { status, reason: `answer not understood: ${error.message}` });
    }
  }

  #refused<T>(
    request: UpstreamRequest<T>,
    token: AccessToken | null,
    { status, retryAfter }: RawAnswer,
    body: unknown,
  ): UpstreamError {
    const { operation } = request;
    const refusal = (request.readRefusal ?? this.options.readRefusal)(body, { operation, status });
    const kind = answerKind(status, request.isSafeToRepeat, refusal);
    const retryAfterSeconds = kind === 'retry_after' ? readRetryAfter(retryAfter) : undefined;
    if (retryAfterSeconds !== undefined) request.budget?.pauseFor(retryAfterSeconds);
    return this.#error(request, kind, {
      status,
      retryAfterSeconds,
      upstreamCode: this.#withoutSecrets(refusal?.code, token),
      reason:
        this.#withoutSecrets(refusal?.message, token) ?? (refusal === null ? 'no error body that we know' : undefined),
    });
  }

  #error<T>(
    { method, path }: UpstreamRequest<T>,
    kind: UpstreamErrorKind,
    details: {
      status?: number;
      reason?: string;
      upstreamCode?: string;
      retryAfterSeconds?: number;
      isSocketReset?: boolean;
    },
  ): UpstreamError {
    return new UpstreamError({ system: this.options.system, kind, subject: `${method} ${path}`, ...details });
  }

  // An error message may echo what it was asked with.
  #withoutSecrets(text: string | undefined, token: AccessToken | null): string | undefined {
    const { clientId, clientSecret, headers = {} } = this.options;
    const secrets = [clientId, clientSecret, ...Object.values(headers), ...(token === null ? [] : [token.value])];
    return secrets
      .filter((secret) => secret !== '')
      .flatMap((secret) => [secret, encodeURIComponent(secret)])
      .reduce((cleaned, secret) => cleaned?.replaceAll(secret, '***'), text);
  }

  #url<T>({ path, pathValues = {}, query = {} }: UpstreamRequest<T>): string {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = pathValues[name] ?? '';
      // An empty or dotted value would name another route: the list instead of one item.
      if (/^\.*$/.test(value)) throw new RangeError(`${name} is not an id`);
      return encodeURIComponent(value);
    });
    const search = new URLSearchParams(query).toString();
    return `${this.options.baseUrl}${filled}${search === '' ? '' : `?${search}`}`;
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.kind !== 'retry') return false;
  // A token refused with a 4xx would be refused again.
  return error.status === undefined || error.status === 408 || error.status >= 500;
}

function parseJson(text: string): { isJson: boolean; value: unknown } {
  if (text.trim() === '') return { isJson: true, value: undefined };
  try {
    return { isJson: true, value: JSON.parse(text) };
  } catch {
    return { isJson: false, value: undefined };
  }
}

function readToken(body: unknown): AccessToken {
  const answer = readObject(body, 'body');
  const life = answer['expires_in'];
  return {
    value: readText(answer['access_token'], 'access_token'),
    expiresInSeconds: readCount(typeof life === 'string' && /^\d+$/.test(life) ? Number(life) : life, 'expires_in'),
  };
}

// Retry-After is a number of seconds or an HTTP date (RFC 9110, 10.2.3).
function readRetryAfter(header: string | undefined): number {
  if (header === undefined) return DEFAULT_RETRY_AFTER_SECONDS;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const seconds = Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? DEFAULT_RETRY_AFTER_SECONDS : Math.max(0, seconds);
}
