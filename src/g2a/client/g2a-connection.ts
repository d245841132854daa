import type { Refusal } from '../../upstream/answer-kind.rules.js';
import { UpstreamClient, type UpstreamConnectionOptions } from '../../upstream/upstream-client.js';
import { isWireObject } from '../../upstream/wire.js';

export interface G2aCredentials {
  /** Sent as OAuth's `client_id`. */
  readonly apiKey: string;
  /** Sent as OAuth's `client_secret`. */
  readonly apiSecret: string;
}

/** Speaks to G2A: credentials and error bodies. */
export function connectToG2a(options: UpstreamConnectionOptions & G2aCredentials): UpstreamClient {
  const { apiKey, apiSecret, ...rest } = options;
  return new UpstreamClient({ ...rest, system: 'g2a', clientId: apiKey, clientSecret: apiSecret, readRefusal });
}

/** G2A's error bodies are not published: any object with a code, a message or an error text counts as one. */
export function readRefusal(body: unknown): Refusal | null {
  if (!isWireObject(body)) return null;
  const { code, message, error } = body;
  const codeText = typeof code === 'number' ? String(code) : text(code);
  const refusal = { code: codeText ?? text(error), message: text(message) ?? text(body['error_description']) };
  return refusal.code === undefined && refusal.message === undefined ? null : refusal;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
