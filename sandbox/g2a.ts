import { Command, InvalidArgumentError } from 'commander';
import { type FastifyRequest } from 'fastify';
import { G2A_BEHAVIORS, type G2aBehavior, G2aMarketplace, type MarketplaceSettings } from './g2a-marketplace.js';
import { registerG2aControl, registerG2aRoutes, type Shapes } from './g2a-routes.js';
import { type OfferShape } from './g2a-shapes.js';
import { readNumber, readRate } from './flags.js';
import { type HttpFault } from './http-fault.js';
import { createServer, isProgram, listenOnLoopback, registerTrafficControl, runAsProgram } from './sandbox-server.js';
import { type RateLimit } from './sliding-window.js';
import { registerTokenRoute, TOKEN_ROUTE, TokenIssuer } from './token-issuer.js';
import { Traffic } from './traffic.js';

export interface G2aSandboxOptions extends Partial<MarketplaceSettings> {
  /** Default 0: any free port. */
  port?: number;
  /** Games 1 to N that G2A knows. Default 1000. */
  products?: number;
  /** How many of them, from the first, have our dropshipping offer. Default: all. */
  offers?: number;
  /** How many of them, from the first, also have a second offer. Default 0. */
  extraOffers?: number;
  /** Type of the second offers. Default `game`. */
  extraOfferType?: string;
  /** Defaults `sandbox-client` and `sandbox-secret`. */
  clientId?: string;
  clientSecret?: string;
  /** Default 3600. */
  tokenLifeSeconds?: number;
  /** Added to every answer. Default 0. */
  latencyMs?: number;
  /** Form of offers in the list; and in the detail form, default the same. */
  listShape?: OfferShape;
  detailShape?: OfferShape;
  /** Limit over all routes but the token's; null lifts it. Default 600 per 60 s. */
  limits?: { api?: RateLimit | null };
}

export interface G2aSandbox {
  url: string;
  /** Offers, jobs, received PATCHes, settings. */
  marketplace: G2aMarketplace;
  /** May be changed while it runs. */
  shapes: Shapes;
  /** Behaviors, latency, limits, request log, counters. */
  traffic: Traffic<G2aBehavior>;
  close(): Promise<void>;
}

const CONTRACT_LIMIT: RateLimit = { requests: 600, perSeconds: 60 };

/** Only some of G2A's codes are known. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = { 400: 'BR02', 401: 'AUTH01', 429: 'BR03' };

/** Starts a simulated G2A on 127.0.0.1. */
export async function startG2aSandbox(options: G2aSandboxOptions = {}): Promise<G2aSandbox> {
  const products = options.products ?? 1000;
  const traffic = new Traffic<G2aBehavior>({
    behaviorNames: G2A_BEHAVIORS,
    limits: { api: CONTRACT_LIMIT, ...options.limits },
    latencyMs: options.latencyMs ?? 0,
  });
  const marketplace = new G2aMarketplace(
    {
      products,
      offers: options.offers ?? products,
      extraOffers: options.extraOffers ?? 0,
      extraOfferType: options.extraOfferType ?? 'game',
    },
    {
      applyDelayMs: options.applyDelayMs ?? 50,
      patchAnswer: options.patchAnswer ?? 202,
      finishedJobStatus: options.finishedJobStatus ?? 'complete',
      feePercent: options.feePercent ?? 15,
      clockOffsetMs: options.clockOffsetMs ?? 0,
    },
    traffic.behaviors,
  );
  const list = options.listShape ?? {};
  const shapes: Shapes = { list, detail: options.detailShape ?? list };
  const tokens = new TokenIssuer({
    clientId: options.clientId ?? 'sandbox-client',
    clientSecret: options.clientSecret ?? 'sandbox-secret',
    tokenLifeSeconds: options.tokenLifeSeconds ?? 3600,
  });

  const app = createServer(renderError);
  registerTrafficControl(app, traffic);
  registerG2aControl(app, marketplace, shapes);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('date', new Date(marketplace.nowMs()).toUTCString());
  });
  await app.register((api, _options, done) => {
    traffic.guard(api, { tokens, limitOf: (route) => (route === TOKEN_ROUTE ? undefined : 'api'), subjectsOf });
    registerTokenRoute(api, tokens);
    registerG2aRoutes(api, marketplace, { shapes, traffic });
    done();
  });
  const url = await listenOnLoopback(app, options.port ?? 0);
  return { url, marketplace, shapes, traffic, close: () => app.close() };
}

function subjectsOf(request: FastifyRequest): string[] {
  const { offerId } = request.params as { offerId?: string };
  const { productId } = request.query as { productId?: string };
  return [offerId, productId].filter((subject) => subject !== undefined);
}

function renderError(fault: HttpFault): unknown {
  return { code: CODE_OF_STATUS[fault.status] ?? `HTTP${fault.status}`, message: fault.message };
}

async function main(): Promise<void> {
  const command = new Command('g2a')
    .description('Simulated G2A seller API v3. Prints {"listening": URL} when ready.')
    .option('--port <port>', 'port on 127.0.0.1; 0 for a free one', readNumber, 0)
    .option('--products <count>', 'games G2A knows', readNumber, 1000)
    .option('--offers <count>', 'how many of them have our offer (default: all)', readNumber)
    .option('--extra-offers <count>', 'how many of them also have an offer of another type', readNumber, 0)
    .option('--client-id <id>', 'accepted client id', 'sandbox-client')
    .option('--client-secret <secret>', 'accepted client secret', 'sandbox-secret')
    .option('--token-life-seconds <seconds>', 'life of a token', readNumber, 3600)
    .option('--latency-ms <ms>', 'added to every answer', readNumber, 0)
    .option('--apply-delay-ms <ms>', 'from accepting a change to showing it', readNumber, 50)
    .option('--patch-answer <status>', 'answer of a PATCH: 200, 202 or 204', readPatchAnswer, 202)
    .option('--fee-percent <percent>', 'what G2A keeps of the price', readNumber, 15)
    .option('--clock-offset-ms <ms>', "how far G2A's clock is ahead", readNumber, 0)
    .option('--rate <rate>', 'limit over all routes but the token (default: 600/60s)', readRate)
    .parse();
  const { rate, ...options } = command.opts<G2aSandboxOptions & { rate?: RateLimit }>();
  runAsProgram(await startG2aSandbox({ ...options, limits: { api: rate ?? CONTRACT_LIMIT } }));
}

function readPatchAnswer(text: string): number {
  if (!['200', '202', '204'].includes(text)) throw new InvalidArgumentError('Use 200, 202 or 204.');
  return Number(text);
}

if (isProgram(import.meta.url)) await main();
