import type { Refusal } from '../../upstream/answer-kind.rules.js';
import type { RequestBudget, RequestRate } from '../../upstream/request-budget.js';
import { UpstreamClient, type UpstreamConnectionOptions } from '../../upstream/upstream-client.js';
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
    readRefusal: (body) => readCwsRefusal(body) ?? readOauthRefusal(body),
  });
}

/** `{"status", "code", "message", …}`: CWS itself has read the request and refused it. */
export function readCwsRefusal(body: unknown): Refusal | null {
  if (!isWireObject(body)) return null;
  const { code, message } = body;
  const isCode =
    (typeof code === 'number' && Number.isInteger(code)) || (typeof code === 'string' && /^\d+$/.test(code));
  if (!isCode || typeof message !== 'string') return null;
  return { code: String(code), message };
}

function readOauthRefusal(body: unknown): Refusal | null {
  if (!isWireObject(body) || typeof body['error'] !== 'string') return null;
  const description = body['error_description'];
  return { code: body['error'], message: typeof description === 'string' ? description : undefined };
}
