import type { Refusal, RefusedCall } from '../../upstream/answer-kind.rules.js';
import type { RequestBudget, RequestRate } from '../../upstream/request-budget.js';
import { TOKEN_OPERATION, UpstreamClient, type UpstreamConnectionOptions } from '../../upstream/upstream-client.js';
import { isWireObject } from '../../upstream/wire.js';

export interface CwsCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Sent as X-Client-Signature with every request when it is set. */
  readonly clientSignature?: string;
}

/** CWS's published limit for its token route. */
export const TOKEN_RATE: RequestRate = { requests: 50, windowSeconds: 300 };

export interface CwsConnectionOptions extends UpstreamConnectionOptions, CwsCredentials {
  readonly tokenBudget: RequestBudget;
}

/** Speaks to CWS: credentials, signature, its error bodies. */
export function connectToCws(options: CwsConnectionOptions): UpstreamClient {
  const { clientSignature = '', ...rest } = options;
  return new UpstreamClient({
    ...rest,
    system: 'cws',
    headers: clientSignature === '' ? {} : { 'X-Client-Signature': clientSignature },
    readRefusal: (body, call) => readCwsRefusal(body, call) ?? readOauthRefusal(body, call),
  });
}

/**
 * `{"status", "code", "message", …}`: CWS itself has read the request and refused it. The status in the body must be the answer's:
 * gateways know `{"code": 5, "message": …}` too, and must never be taken for CWS when they say that something does not exist.
 */
export function readCwsRefusal(body: unknown, { status }: RefusedCall): Refusal | null {
  if (!isWireObject(body)) return null;
  const { code, message } = body;
  if (wholeNumber(body['status']) !== status || wholeNumber(code) === null || typeof message !== 'string') return null;
  return { code: String(code), message };
}

/**
 * `{"error", "error_description"}`: only of the token. Spring's own `{"timestamp", "status": 404, "error": "Not Found", "path"}`
 * looks like it, and says nothing about what was asked for.
 */
function readOauthRefusal(body: unknown, { operation, status }: RefusedCall): Refusal | null {
  const isAboutToken = status === 401 || (status === 400 && operation === TOKEN_OPERATION);
  if (!isAboutToken || !isWireObject(body) || typeof body['error'] !== 'string') return null;
  const description = body['error_description'];
  return { code: body['error'], message: typeof description === 'string' ? description : undefined };
}

/** Of a JSON number or a text of digits; null of anything else. */
function wholeNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : null;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}
