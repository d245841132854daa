import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BehaviorTable } from './behaviors.js';
import { HttpFault } from './http-fault.js';
import { type RateLimit, SlidingWindow } from './sliding-window.js';
import { type TokenIssuer, TOKEN_ROUTE } from './token-issuer.js';

/** Behaviors any route of either server can show. */
export const TRANSPORT_BEHAVIORS = [
  'answersSlowly',
  'answers429',
  'answers500',
  'dropsToken',
  'gatewayAnswers404',
  'losesRequest',
] as const;
export type TransportBehavior = (typeof TRANSPORT_BEHAVIORS)[number];

/** One request as it came in. Query secrets are left out. */
export interface LoggedRequest {
  atMs: number;
  method: string;
  path: string;
  query: Record<string, string>;
  route: string;
  /** Null while unanswered, and for good when the answer was lost. */
  status: number | null;
  /** What an order post asked for. */
  order?: unknown;
}

export interface RouteCount {
  requests: number;
  limited: number;
}

export interface TrafficOptions<Name extends string> {
  behaviorNames: readonly Name[];
  limits: Readonly<Record<string, RateLimit | null>>;
  latencyMs: number;
}

export interface GuardOptions {
  tokens: TokenIssuer;
  /** Which limit a route counts against; undefined for none. */
  limitOf: (route: string) => string | undefined;
  /** The products or offers a request is about, for behaviors limited to one. */
  subjectsOf: (request: FastifyRequest) => string[];
  /** Further checks of a request's head; throws a fault. */
  checkHead?: (request: FastifyRequest) => void;
}

const SECRET_PARAMETERS = new Set(['client_id', 'client_secret', 'access_token']);
const LOG_LENGTH = 20_000;

/** What happens to a request before a route sees it: log, limits, token, latency and transport behaviors. */
export class Traffic<Name extends string> {
  readonly behaviors: BehaviorTable<Name | TransportBehavior>;
  latencyMs: number;
  private readonly windows = new Map<string, SlidingWindow>();
  private readonly entries = new WeakMap<FastifyRequest, LoggedRequest>();
  private log: LoggedRequest[] = [];
  private counts: Record<string, RouteCount> = {};

  constructor(options: TrafficOptions<Name>) {
    this.behaviors = new BehaviorTable(
      [...TRANSPORT_BEHAVIORS, ...options.behaviorNames],
      (route) => this.counts[route]?.requests ?? 0,
    );
    this.latencyMs = options.latencyMs;
    this.setLimits(options.limits);
  }

  /** Replaces the named limits with fresh windows; null lifts one. */
  setLimits(limits: Readonly<Record<string, RateLimit | null>>): void {
    for (const [name, limit] of Object.entries(limits)) {
      if (limit) this.windows.set(name, new SlidingWindow(limit));
      else this.windows.delete(name);
    }
  }

  /** The latest requests (at least the last 20,000), oldest first. */
  requests(): readonly LoggedRequest[] {
    return this.log;
  }

  /** Requests and refusals by rate limit per route, e.g. `GET /v3/products`. */
  counters(): Readonly<Record<string, RouteCount>> {
    return this.counts;
  }

  /** Empties the request log and the counters. */
  forget(): void {
    this.log = [];
    this.counts = {};
  }

  /** Adds the checks to every route of `api`. */
  guard(api: FastifyInstance, options: GuardOptions): void {
    api.addHook('onRequest', async (request) => {
      const route = routeOf(request);
      this.record(request, route);
      if (this.latencyMs > 0) await sleep(this.latencyMs);
      options.checkHead?.(request);
      this.spend(route, options.limitOf(route));
      if (route !== TOKEN_ROUTE && !options.tokens.accepts(request.headers.authorization, Date.now())) {
        throw unauthorized();
      }
    });
    api.addHook('preHandler', async (request, reply) => {
      const entry = this.entries.get(request);
      if (entry && request.method === 'POST' && entry.route.endsWith('/orders')) entry.order = request.body;
      return this.misbehave(request, reply, options);
    });
    api.addHook('onResponse', (request, reply, done) => {
      const entry = this.entries.get(request);
      if (entry) entry.status = reply.statusCode;
      done();
    });
  }

  /** Never answers: resets the connection, or leaves it open when `hangs`. */
  loseAnswer(request: FastifyRequest, reply: FastifyReply, hangs = false): FastifyReply {
    this.entries.delete(request);
    reply.hijack();
    if (!hangs) request.raw.socket.destroy();
    return reply;
  }

  /** @returns the reply when it was answered here. */
  private async misbehave(
    request: FastifyRequest,
    reply: FastifyReply,
    options: GuardOptions,
  ): Promise<FastifyReply | undefined> {
    const route = routeOf(request);
    const occasion = { route, subjects: options.subjectsOf(request) };
    const take = (name: TransportBehavior) => {
      // A token fetch must not use up what was meant for the call after it, so it misbehaves only when named.
      const named = this.behaviors.list().some((row) => row.name === name && row.route === route);
      return route === TOKEN_ROUTE && !named ? undefined : this.behaviors.take(name, occasion);
    };
    const slow = take('answersSlowly');
    if (slow) await sleep(slow.milliseconds ?? 1000);
    const limited = take('answers429');
    if (limited) throw this.tooMany(route, limited.seconds ?? 1);
    if (take('answers500')) throw new HttpFault(500, 90001, 'Something went wrong on our side.');
    if (take('dropsToken')) {
      options.tokens.revoke();
      throw unauthorized();
    }
    if (take('gatewayAnswers404')) {
      // As Spring Boot answers by itself: not in the words of either server.
      const timestamp = new Date().toISOString();
      return reply.code(404).send({ timestamp, status: 404, error: 'Not Found', path: request.url });
    }
    const lost = take('losesRequest');
    return lost ? this.loseAnswer(request, reply, lost.hangs) : undefined;
  }

  private record(request: FastifyRequest, route: string): void {
    const url = new URL(request.url, 'http://sandbox');
    const query = Object.fromEntries([...url.searchParams].filter(([name]) => !SECRET_PARAMETERS.has(name)));
    const entry = { atMs: Date.now(), method: request.method, path: url.pathname, query, route, status: null };
    this.entries.set(request, entry);
    this.log.push(entry);
    if (this.log.length > 2 * LOG_LENGTH) this.log = this.log.slice(-LOG_LENGTH);
    this.countOf(route).requests += 1;
  }

  private spend(route: string, limit: string | undefined): void {
    const waitSeconds = limit === undefined ? 0 : (this.windows.get(limit)?.take(Date.now()) ?? 0);
    if (waitSeconds > 0) throw this.tooMany(route, waitSeconds);
  }

  private tooMany(route: string, retryAfterSeconds: number): HttpFault {
    this.countOf(route).limited += 1;
    return new HttpFault(429, 429, 'Too many requests.', { 'retry-after': String(retryAfterSeconds) });
  }

  private countOf(route: string): RouteCount {
    return (this.counts[route] ??= { requests: 0, limited: 0 });
  }
}

function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? request.url}`;
}

function unauthorized(): HttpFault {
  return new HttpFault(401, 'invalid_token', 'The access token is missing, unknown or expired.');
}
