import type { Cents } from '../money/cents.js';
import { DemoError } from './demo-error.js';
import type { WireBand, WireProduct } from './demo-games.js';

/** Credentials that the simulated supplier and marketplace accept. Not secrets: both listen on the loopback address only. */
export const SANDBOX_CLIENT = {
  id: 'sandbox-client',
  secret: 'sandbox-secret',
  signature: 'sandbox-signature',
} as const;

/** An offer as the simulated marketplace shows it. */
export interface ShownOffer {
  readonly active: boolean;
  readonly size: number;
  readonly retailCents: Cents;
  readonly businessCents: Cents;
}

/** An order in the supplier's books. */
export interface LedgerOrder {
  readonly createdAtMs: number;
  readonly lines: readonly {
    readonly productId: string;
    readonly quantity: number;
    readonly unitCents: Cents;
    /** The most that the buyer was willing to pay per piece; null when the order named none. */
    readonly capCents: Cents | null;
    readonly codes: readonly { readonly code: string }[];
  }[];
}

const ANSWER_MILLISECONDS = 5_000;

/** HTTP to one server, JSON both ways. */
class Api {
  constructor(
    readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws DemoError for any answer but a success. */
  async call(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const { signal } = this;
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MILLISECONDS)]),
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new DemoError(`${method} ${this.url}${path}: ${describeNetworkError(error)}`);
    });
    const text = await response.text();
    if (!response.ok)
      throw new DemoError(`${method} ${this.url}${path}: status ${response.status} ${text.slice(0, 200)}`);
    return text === '' || response.headers.get('content-type')?.includes('json') !== true ? text : JSON.parse(text);
  }
}

/** The simulated CodesWholesale, through its own API and its control API (sandbox/README.md). */
export class SimulatedSupplier extends Api {
  /** The whole price list, as any customer of the supplier reads it. */
  async products(): Promise<WireProduct[]> {
    const { id, secret, signature } = SANDBOX_CLIENT;
    const credentials = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
    const token = (await this.call('POST', '/oauth/token', credentials)) as { access_token: string };
    const headers = { authorization: `Bearer ${token.access_token}`, 'x-client-signature': signature };
    const products: WireProduct[] = [];
    for (let query = ''; ;) {
      const page = (await this.call('GET', `/v3/products${query}`, undefined, headers)) as {
        items: WireProduct[];
        continuationToken: string | null;
      };
      products.push(...page.items);
      if (page.continuationToken === null) return products;
      query = `?continuationToken=${encodeURIComponent(page.continuationToken)}`;
    }
  }

  async change(cwsProductId: string, change: { quantity?: number; prices?: WireBand[] }): Promise<void> {
    await this.call('POST', `/_sandbox/products/${cwsProductId}`, change);
  }

  /** The next order of the product is `Fulfilling` for some time. */
  async fulfillNextAfter(seconds: number, cwsProductId: string): Promise<void> {
    await this.call('POST', '/_sandbox/behaviors', {
      name: 'fulfillsAfterSeconds',
      seconds,
      subject: cwsProductId,
      times: 1,
    });
  }

  /** Every order ever placed, oldest first. */
  async orders(): Promise<readonly LedgerOrder[]> {
    const ledger = (await this.call('GET', '/_sandbox/ledger')) as { orders: LedgerOrder[] };
    return ledger.orders;
  }
}

/** The simulated G2A, through its control API (sandbox/README.md), which has no rate limit. */
export class SimulatedMarketplace extends Api {
  async offer(g2aOfferId: string): Promise<ShownOffer> {
    return (await this.call('GET', `/_sandbox/offers/${g2aOfferId}`)) as ShownOffer;
  }
}

/** Keyferry itself, as people see it. */
export class KeyferryPages extends Api {
  /** @throws DemoError unless the page answers with a success. */
  async visit(path: string, login?: { username: string; password: string }): Promise<void> {
    const basic =
      login === undefined ? undefined : Buffer.from(`${login.username}:${login.password}`).toString('base64');
    await this.call('GET', path, undefined, basic === undefined ? {} : { authorization: `Basic ${basic}` });
  }
}

/** fetch itself only says "fetch failed". */
function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
