import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly clientPort: number | undefined;
}

/** What the server does with a request: `silent` never answers, `reset` drops the connection, `trickle` never ends the body. */
export type Reply =
  { status?: number; json?: unknown; text?: string; headers?: Record<string, string> } | 'silent' | 'reset' | 'trickle';

/** A real HTTP server on 127.0.0.1 that hands out tokens and answers everything else as the test says. */
export class LocalUpstream {
  readonly received: ReceivedRequest[] = [];
  readonly tokenRequests: ReceivedRequest[] = [];
  answer: (request: ReceivedRequest) => Reply = () => ({ json: {} });
  /** Replaces the answer of the token route. */
  answerToken: (issued: number) => Reply = (issued) => ({
    json: { access_token: `token-${issued}`, token_type: 'bearer', expires_in: 3600 },
  });
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://upstream');
        const seen: ReceivedRequest = {
          method: request.method ?? '',
          path: url.pathname,
          url: request.url ?? '',
          query: url.searchParams,
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          clientPort: request.socket.remotePort,
        };
        const isToken = url.pathname === '/oauth/token';
        (isToken ? this.tokenRequests : this.received).push(seen);
        const reply = isToken ? this.answerToken(this.tokenRequests.length) : this.answer(seen);
        if (reply === 'silent') return;
        if (reply === 'reset') {
          request.socket.resetAndDestroy();
          return;
        }
        if (reply === 'trickle') {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.write('{"items": [');
          return;
        }
        const text = reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json));
        response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
        response.end(text);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What `promise` rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
}

/** The items of an async iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
