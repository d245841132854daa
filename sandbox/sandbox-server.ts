import { existsSync, realpathSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import Fastify, { type FastifyInstance, type FastifySchema } from 'fastify';
import { type Behavior } from './behaviors.js';
import { HttpFault, toFault } from './http-fault.js';
import { parseRateLimit } from './sliding-window.js';
import { type Traffic, type TransportBehavior } from './traffic.js';

/** A bare server that reads JSON and forms and renders every error through `errorBody`. */
export function createServer(errorBody: (fault: HttpFault) => unknown): FastifyInstance {
  const app = Fastify({
    // A hanging answer must not keep close() waiting.
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // Wire types are part of the contract (a price is a string here, a number there), and a misspelled field is an error.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body.toString())));
  });
  app.setNotFoundHandler((request) => {
    throw new HttpFault(404, 404, `No route ${request.method} ${request.url}.`);
  });
  app.setErrorHandler((error, _request, reply) => {
    const fault = toFault(error);
    return reply.code(fault.status).headers(fault.headers).send(errorBody(fault));
  });
  return app;
}

/** Listens on 127.0.0.1 (0: a free port) and returns the base URL. */
export async function listenOnLoopback(app: FastifyInstance, port: number): Promise<string> {
  await app.listen({ host: '127.0.0.1', port });
  const { port: actual } = app.server.address() as AddressInfo;
  return `http://127.0.0.1:${actual}`;
}

/** Request body schema of a control route: only these fields, all optional. */
export function fields(properties: Record<string, unknown>, required: string[] = []): FastifySchema {
  return { body: { type: 'object', properties, required, additionalProperties: false } };
}

/** The control routes both servers have: behaviors, latency and limits, request log and counters. */
export function registerTrafficControl<Name extends string>(app: FastifyInstance, traffic: Traffic<Name>): void {
  app.get('/_sandbox/requests', () => traffic.requests());
  app.get('/_sandbox/counters', () => traffic.counters());
  app.delete('/_sandbox/requests', (_request, reply) => {
    traffic.forget();
    return reply.code(204).send();
  });

  app.get('/_sandbox/behaviors', () => traffic.behaviors.list());
  app.post<{ Body: Behavior<Name | TransportBehavior> }>(
    '/_sandbox/behaviors',
    { schema: behaviorSchema },
    (request) => {
      traffic.behaviors.set(request.body);
      return traffic.behaviors.list();
    },
  );
  app.delete<{ Querystring: { name?: string; subject?: string } }>('/_sandbox/behaviors', (request) => {
    traffic.behaviors.clear(request.query);
    return traffic.behaviors.list();
  });

  app.post<{ Body: { latencyMs?: number; limits?: Record<string, string | null> } }>(
    '/_sandbox/traffic',
    { schema: trafficSchema },
    (request, reply) => {
      const { latencyMs, limits } = request.body;
      if (latencyMs !== undefined) traffic.latencyMs = latencyMs;
      for (const [name, rate] of Object.entries(limits ?? {})) {
        traffic.setLimits({ [name]: rate === null ? null : parseRateLimit(rate) });
      }
      return reply.code(204).send();
    },
  );
}

const behaviorSchema = fields(
  {
    name: { type: 'string' },
    subject: { type: 'string' },
    route: { type: 'string' },
    after: {
      type: 'object',
      properties: { route: { type: 'string' }, requests: { type: 'integer', minimum: 0 } },
      required: ['route', 'requests'],
      additionalProperties: false,
    },
    times: { type: 'integer', minimum: 1 },
    seconds: { type: 'number', minimum: 0 },
    milliseconds: { type: 'number', minimum: 0 },
    hangs: { type: 'boolean' },
  },
  ['name'],
);

const trafficSchema = fields({
  latencyMs: { type: 'number', minimum: 0 },
  limits: {
    type: 'object',
    additionalProperties: { anyOf: [{ type: 'null' }, { type: 'string', pattern: '^\\d+/\\d+s$' }] },
  },
});

/** Whether the module with this `import.meta.url` is the program node was started with. */
export function isProgram(moduleUrl: string): boolean {
  const program = process.argv[1];
  return program !== undefined && existsSync(program) && realpathSync(program) === fileURLToPath(moduleUrl);
}

/** Prints the one ready line and ends the process on SIGTERM and SIGINT. */
export function runAsProgram(server: { url: string; close: () => Promise<void> }): void {
  process.stdout.write(`${JSON.stringify({ listening: server.url })}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void server.close().then(() => process.exit(0));
    });
  }
}
