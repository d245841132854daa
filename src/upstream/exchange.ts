import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { isAxiosError, type AxiosInstance } from 'axios';
import { type Agents, resetConnection } from './connected-agents.js';

/** One HTTP request as it goes over the wire. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Deadline for the whole exchange: DNS, connection, answer and its body. */
  readonly timeoutMs: number;
  /** Whether a request given up on is stopped with a TCP reset. */
  readonly isResetOnTimeout: boolean;
  /** Called last, synchronously, before the first byte is written. What it throws is thrown on, and nothing is sent. */
  readonly beforeSend: (() => void) | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The header `Date`; null when it is missing or no date. */
  readonly answeredAt: Date | null;
  readonly text: string;
}

/** No whole answer came. The reason is a code or a fixed phrase, never a text with an address or a header in it. */
export class ExchangeError extends Error {
  constructor(
    readonly reason: string,
    /** False: not one byte of the request left. */
    readonly isWritten: boolean,
    readonly isSocketReset: boolean,
    readonly isTooLarge: boolean,
  ) {
    super(reason);
    this.name = 'ExchangeError';
  }
}

interface Progress {
  /** The connection that the request was written to. */
  written?: Duplex;
  /** What beforeSend threw. */
  stopped?: { readonly error: unknown };
  isTimedOut: boolean;
  isSocketReset: boolean;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Sends one request and reads its answer, whatever its status.
 * @throws ExchangeError when no whole answer came.
 */
export async function exchange(axios: AxiosInstance, agents: Agents, request: OutgoingRequest): Promise<RawAnswer> {
  const cancel = new AbortController();
  const progress: Progress = { isTimedOut: false, isSocketReset: false };

  const deadline = setTimeout(() => {
    progress.isTimedOut = true;
    if (request.isResetOnTimeout && progress.written !== undefined) {
      progress.isSocketReset = resetConnection(progress.written);
    }
    cancel.abort();
  }, request.timeoutMs);

  const transport = {
    request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
      const outgoing = (options.protocol === 'https:' ? https : http).request(options, onResponse);
      outgoing.once('socket', (socket) => {
        try {
          request.beforeSend?.();
          progress.written = socket;
        } catch (error) {
          progress.stopped = { error };
          outgoing.destroy(new Error('stopped before sending'));
        }
      });
      return outgoing;
    },
  };

  try {
    const response = await axios.request<string>({
      method: request.method,
      url: request.url,
      headers: { ...request.headers },
      data: request.body,
      responseType: 'text',
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
      maxContentLength: MAX_ANSWER_BYTES,
      // A proxy named in the environment would see tokens and keys; a redirect would take them elsewhere.
      proxy: false,
      maxRedirects: 0,
      signal: cancel.signal,
      transport,
      ...agents,
    });
    const retryAfter: unknown = response.headers['retry-after'];
    const answeredAt = new Date(String(response.headers['date']));
    return {
      status: response.status,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      answeredAt: Number.isNaN(answeredAt.getTime()) ? null : answeredAt,
      text: response.data,
    };
  } catch (error) {
    if (progress.stopped !== undefined) throw progress.stopped.error;
    throw failure(error, progress, request.timeoutMs);
  } finally {
    clearTimeout(deadline);
  }
}

function failure(error: unknown, progress: Progress, timeoutMs: number): ExchangeError {
  const isWritten = progress.written !== undefined;
  const isTooLarge = error instanceof Error && error.message.startsWith('maxContentLength');
  let reason = (isAxiosError(error) ? error.code : undefined) ?? 'the connection failed';
  if (isTooLarge) reason = `the answer is larger than ${MAX_ANSWER_BYTES} bytes`;
  if (progress.isTimedOut) reason = `no ${isWritten ? 'whole answer' : 'connection'} within ${timeoutMs} ms`;
  return new ExchangeError(reason, isWritten, progress.isSocketReset, isTooLarge);
}
