import { Command } from 'commander';
import { type FastifyRequest } from 'fastify';
import { CWS_BEHAVIORS, type CwsBehavior } from './cws-behaviors.js';
import { CwsOrders } from './cws-orders.js';
import { registerCwsPostbacks } from './cws-postbacks.js';
import { registerCwsControl, registerCwsRoutes } from './cws-routes.js';
import { CwsSupplier } from './cws-supplier.js';
import { readNumber, readRate } from './flags.js';
import { HttpFault } from './http-fault.js';
import { createServer, isProgram, listenOnLoopback, registerTrafficControl, runAsProgram } from './sandbox-server.js';
import { type RateLimit } from './sliding-window.js';
import { registerTokenRoute, TokenIssuer } from './token-issuer.js';
import { Traffic } from './traffic.js';

export interface CwsSandboxOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Games 1 to N of the catalogue. Default 1000. */
  products?: number;
  /** How many of them, from the first, have a second listing. Default 0. */
  alternatives?: number;
  /** Defaults `sandbox-client` and `sandbox-secret`. */
  clientId?: string;
  clientSecret?: string;
  /**
   * When set, every call but the token's must carry it in X-Client-Signature (403 otherwise). Default: not asked for, and postbacks are
   * signed with `sandbox-signature`.
   */
  clientSignature?: string;
  /** Default 3600. */
  tokenLifeSeconds?: number;
  /** Products per page. Default 100. */
  pageSize?: number;
  /** Account balance in EUR. Default 100000. */
  balance?: number;
  /** Added to every answer. Default 0. */
  latencyMs?: number;
  /** Default true. */
  updatedSinceInclusive?: boolean;
  /** How far the supplier's clock is ahead. Default 0. */
  clockOffsetMs?: number;
  /** Overrides of the contract's limits; null lifts one. */
  limits?: Partial<Record<CwsLimit, RateLimit | null>>;
}

export type CwsLimit = 'products' | 'product' | 'token';

export interface CwsSandbox {
  url: string;
  /** Products, balance, settings. */
  supplier: CwsSupplier;
  /** Orders, codes, ledger. */
  orders: CwsOrders;
  /** Behaviors, latency, limits, request log, counters. */
  traffic: Traffic<CwsBehavior>;
  close(): Promise<void>;
}

const CONTRACT_LIMITS: Readonly<Record<CwsLimit, RateLimit>> = {
  products: { requests: 400, perSeconds: 600 },
  product: { requests: 600, perSeconds: 300 },
  token: { requests: 50, perSeconds: 300 },
};

const LIMIT_OF_ROUTE: Readonly<Record<string, CwsLimit>> = {
  'GET /v3/products': 'products',
  'GET /v3/products/:productId': 'product',
  'POST /oauth/token': 'token',
};

/** Not published; the contract says to stay under it. */
const MAX_URL_BYTES = 4096;

/** Starts a simulated CodesWholesale on 127.0.0.1. */
export async function startCwsSandbox(options: CwsSandboxOptions = {}): Promise<CwsSandbox> {
  const traffic = new Traffic<CwsBehavior>({
    behaviorNames: CWS_BEHAVIORS,
    limits: { ...CONTRACT_LIMITS, ...options.limits },
    latencyMs: options.latencyMs ?? 0,
  });
  const supplier = new CwsSupplier(
    {
      products: options.products ?? 1000,
      alternatives: options.alternatives ?? 0,
      balance: options.balance ?? 100_000,
    },
    {
      pageSize: options.pageSize ?? 100,
      updatedSinceInclusive: options.updatedSinceInclusive ?? true,
      clockOffsetMs: options.clockOffsetMs ?? 0,
    },
    traffic.behaviors,
  );
  const orders = new CwsOrders(supplier, traffic.behaviors);
  const clientId = options.clientId ?? 'sandbox-client';
  const tokens = new TokenIssuer({
    clientId,
    clientSecret: options.clientSecret ?? 'sandbox-secret',
    tokenLifeSeconds: options.tokenLifeSeconds ?? 3600,
  });

  const app = createServer(renderError);
  registerTrafficControl(app, traffic);
  registerCwsControl(app, supplier, orders);
  registerCwsPostbacks(app, { clientId, signature: options.clientSignature ?? 'sandbox-signature' });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('date', new Date(supplier.nowMs()).toUTCString());
  });
  await app.register((api, _options, done) => {
    traffic.guard(api, {
      tokens,
      limitOf: (route) => LIMIT_OF_ROUTE[route],
      subjectsOf,
      checkHead: (request) => {
        checkHead(request, options.clientSignature);
      },
    });
    registerTokenRoute(api, tokens);
    registerCwsRoutes(api, supplier, orders, traffic);
    done();
  });
  const url = await listenOnLoopback(app, options.port ?? 0);
  return { url, supplier, orders, traffic, close: () => app.close() };
}

function checkHead(request: FastifyRequest, clientSignature: string | undefined): void {
  if (Buffer.byteLength(request.url) > MAX_URL_BYTES) throw new HttpFault(414, 414, 'The URL is too long.');
  const isTokenFetch = request.url.startsWith('/oauth/token');
  if (clientSignature !== undefined && !isTokenFetch && request.headers['x-client-signature'] !== clientSignature) {
    throw new HttpFault(403, 403, 'X-Client-Signature is missing or wrong.');
  }
}

/** Product ids named in the path or in an order. */
function subjectsOf(request: FastifyRequest): string[] {
  const { productId } = request.params as { productId?: string };
  if (productId !== undefined) return [productId];
  const body = request.body as { products?: { productId: string }[] } | undefined;
  return body?.products?.map((product) => product.productId) ?? [];
}

function renderError(fault: HttpFault): unknown {
  if (fault.status === 401) return { error: fault.code, error_description: fault.message };
  const { status, code, message } = fault;
  return { status, code, message, developerMessage: message, moreInfo: '' };
}

async function main(): Promise<void> {
  const command = new Command('cws')
    .description('Simulated CodesWholesale API v3. Prints {"listening": URL} when ready.')
    .option('--port <port>', 'port on 127.0.0.1; 0 for a free one', readNumber, 0)
    .option('--products <count>', 'size of the catalogue', readNumber, 1000)
    .option('--alternatives <count>', 'how many games have a second listing', readNumber, 0)
    .option('--client-id <id>', 'accepted client id', 'sandbox-client')
    .option('--client-secret <secret>', 'accepted client secret', 'sandbox-secret')
    .option('--client-signature <signature>', 'required X-Client-Signature; not checked when absent')
    .option('--token-life-seconds <seconds>', 'life of a token', readNumber, 3600)
    .option('--page-size <count>', 'products per page', readNumber, 100)
    .option('--balance <eur>', 'account balance', readNumber, 100_000)
    .option('--latency-ms <ms>', 'added to every answer', readNumber, 0)
    .option('--clock-offset-ms <ms>', "how far the supplier's clock is ahead", readNumber, 0)
    .option('--updated-since-exclusive', 'updatedSince leaves out changes at exactly that time', false)
    .option('--products-rate <rate>', 'limit of the products list (default: 400/600s)', readRate)
    .option('--product-rate <rate>', 'limit of the single product (default: 600/300s)', readRate)
    .option('--token-rate <rate>', 'limit of token fetches (default: 50/300s)', readRate)
    .parse();
  const { productsRate, productRate, tokenRate, updatedSinceExclusive, ...options } = command.opts<
    CwsSandboxOptions & {
      productsRate?: RateLimit;
      productRate?: RateLimit;
      tokenRate?: RateLimit;
      updatedSinceExclusive: boolean;
    }
  >();
  const limits = {
    products: productsRate ?? CONTRACT_LIMITS.products,
    product: productRate ?? CONTRACT_LIMITS.product,
    token: tokenRate ?? CONTRACT_LIMITS.token,
  };
  runAsProgram(await startCwsSandbox({ ...options, updatedSinceInclusive: !updatedSinceExclusive, limits }));
}

if (isProgram(import.meta.url)) await main();
