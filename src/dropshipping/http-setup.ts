import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';
import type { AppConfig } from '../config/app-config.js';
import type { TrustProxy } from '../config/variable-kinds.js';
import { BODY_LIMIT_BYTES } from './body-limit.js';
import { internalErrorAnswer, knownErrorAnswer } from './errors/error-answer.rules.js';
import { RouteTable } from './errors/route-table.js';

/** Longer than any URL that Node accepts (16 KiB of headers), so that a long id in a path is our 404, not the router's 414. */
const MAX_PATH_PARAMETER_LENGTH = 16 * 1024;

/** A request that has not come in completely by then is given up, or whoever dribbles bytes keeps its connection for ever. G2A itself waits 9 s. */
const REQUEST_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_CHECK_MS = 2_000;

/** What a request that is no HTTP gets, by Node's error code; anything else is a plain 400. */
const UNREADABLE_REQUESTS: Readonly<Partial<Record<string, readonly [status: string, code: string]>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request_timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
};

/** Options of the FastifyAdapter: `new FastifyAdapter(fastifyOptions(config))`. */
export function fastifyOptions(config: Pick<AppConfig, 'trustProxy'>) {
  return {
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustProxyOption(config.trustProxy),
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER_LENGTH },
    clientErrorHandler: answerUnreadableRequest,
    frameworkErrors: answerUnroutableRequest,
    // What still comes in on an open connection while the server closes is answered, not refused in Fastify's own shape.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_CHECK_MS,
      // Node would answer a missing Host with a 400 of its own; no route of ours looks at it.
      requireHostHeader: false,
    },
  } satisfies FastifyHttpOptions<Server>;
}

/** Sets up how bodies are read. To be called once, before the application is initialized or listens. */
export function configureHttp(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  // Fastify reads text by default; no route of ours takes any, so it is a 415.
  fastify.removeContentTypeParser('text/plain');
  // `error` refuses a body with `__proto__` or `constructor.prototype` in it.
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  app.useBodyParser<Server>('application/json', { bodyLimit: BODY_LIMIT_BYTES }, (request, body, done) => {
    // G2A's client may name the JSON type on calls without body; Fastify would answer 400.
    if (body.length === 0) done(null, undefined);
    else void parseJson(request, body.toString(), done);
  });

  // Node would answer an Expect that it does not know with a 417 of its own; a server may ignore it.
  const server = app.getHttpServer();
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));

  // Otherwise a connection that is answered while the server closes stays open, and keeps it from ending.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (!server.listening) reply.header('Connection', 'close');
    done();
  });

  const routes = app.get(RouteTable, { strict: false });
  fastify.addHook('onRoute', ({ url, method }) => {
    routes.add(url, method);
  });
}

/**
 * Fastify 5 takes a bare number for "trust nobody". Operators behind a hosting platform know how many proxies there are and
 * not their addresses, so the hops are counted here; right only where nobody can reach us past those proxies.
 */
function trustProxyOption(trustProxy: TrustProxy) {
  if (typeof trustProxy !== 'number') return trustProxy;
  return (_address: string, hop: number) => hop < trustProxy;
}

/** For a URL that the router cannot read: Nest's filter does not see it, and Fastify would quote it. */
function answerUnroutableRequest(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = knownErrorAnswer(error) ?? internalErrorAnswer();
  void reply.code(status).send(body);
}

function answerUnreadableRequest(error: Error & { code?: string }, socket: Socket): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const [status, code] = UNREADABLE_REQUESTS[error.code ?? ''] ?? ['400 Bad Request', 'malformed_request'];
    const body = JSON.stringify({ code, message: 'the request could not be read' });
    socket.write(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}
