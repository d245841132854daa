import { type BudgetMaker, inProcessBudget, type RequestBudget, type RequestRate } from '../upstream/request-budget.js';
import type { CallLimits, UpstreamClient, UpstreamConnectionOptions } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { connectToCws, type CwsCredentials, readCwsRefusal, TOKEN_RATE } from './client/cws-connection.js';
import { Continuation } from './client/continuation.js';
import type {
  HistoryWindow,
  PlaceOrder,
  ListedPage,
  ProductFilter,
  ProductPage,
  SupplierAccount,
  SupplierCode,
  SupplierOrder,
  SupplierOrderSummary,
  SupplierProduct,
} from './cws.types.js';
import { readAccount } from './mapping/account.mapping.js';
import { readFetchedCode, readOrder, readOrderHistory, readPlacedOrder, writeOrder } from './mapping/order.mapping.js';
import { readProduct, readProductPage, readProductOf } from './mapping/product.mapping.js';

export interface CwsClientOptions extends UpstreamConnectionOptions, CwsCredentials {
  /** Limit of the product list. */
  readonly productsRate: RequestRate;
  /** Limit of single products. */
  readonly productRate: RequestRate;
  /** Limit of purchases, and again of all that is read of orders, codes and the account. */
  readonly ordersRate: RequestRate;
  /** Default: budgets of this process alone. */
  readonly budgetOf?: BudgetMaker;
}

/** Repeats of a read that met a passing failure. */
const READ_RETRIES = 2;
/** Calls about orders do not wait long for room: whoever makes them is a job, which tries again. */
const ORDER_MAX_WAIT_MS = 2_000;
/** Characters of ids in one URL: it stays below 4 KB with a continuation token of up to 900 characters. */
const MAX_ID_CHARACTERS = 3_000;

/** CodesWholesale, API v3. Every method throws UpstreamError; what each kind means is told there. */
export class CwsClient {
  readonly #upstream: UpstreamClient;
  readonly #tokenBudget: RequestBudget;
  readonly #productsBudget: RequestBudget;
  readonly #productBudget: RequestBudget;
  readonly #purchasesBudget: RequestBudget;
  readonly #ordersBudget: RequestBudget;

  constructor(options: CwsClientOptions) {
    const { productsRate, productRate, ordersRate, budgetOf = inProcessBudget, ...connection } = options;
    this.#tokenBudget = budgetOf('cws', 'token', TOKEN_RATE);
    this.#upstream = connectToCws({ ...connection, tokenBudget: this.#tokenBudget });
    this.#productsBudget = budgetOf('cws', 'product list', productsRate);
    this.#productBudget = budgetOf('cws', 'single product', productRate);
    this.#purchasesBudget = budgetOf('cws', 'purchases', ordersRate);
    this.#ordersBudget = budgetOf('cws', 'orders', ordersRate);
  }

  /** The products that match, page by page. Ids that the supplier does not sell are simply not among them. */
  async *products(filter: ProductFilter = {}, limits: CallLimits = {}): AsyncIterable<ListedPage> {
    const since: Record<string, string> =
      filter.updatedSince === undefined ? {} : { updatedSince: filter.updatedSince.toISOString() };
    if (filter.cwsProductIds === undefined) {
      yield* this.#productPages(since, limits, filter.continueFrom);
      return;
    }
    for (const productIds of joinInBatches(filter.cwsProductIds)) {
      yield* this.#productPages({ ...since, productIds }, limits);
    }
  }

  /**
   * A few products for somebody who waits: like `products`, but a single one is asked for by the route of single products. That
   * has a limit of its own, and what is used of the list's limit is missing to the feed; only without room there the list is asked.
   */
  async *productsNow(cwsProductIds: readonly string[], limits: CallLimits = {}): AsyncIterable<ProductPage> {
    const [first, ...others] = cwsProductIds;
    if (first === undefined || others.length > 0) {
      yield* this.products({ cwsProductIds }, limits);
      return;
    }
    let page: ProductPage | null;
    try {
      page = await this.#singleProduct(first, (body) => readProductOf(body, first), { ...limits, maxWaitMs: 0 });
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.kind !== 'retry_after') throw error;
      yield* this.products({ cwsProductIds }, limits);
      return;
    }
    yield page ?? { products: [], rejected: [] };
  }

  /** One product; null when the supplier does not sell it (any more). */
  product(cwsProductId: string, limits: CallLimits = {}): Promise<SupplierProduct | null> {
    return this.#singleProduct(cwsProductId, readProduct, limits);
  }

  /**
   * Buys. There is no cancel and no refund, and a second POST buys twice: it is sent once, and once more only after a
   * 401, which was not executed. Only a `rejected` error says that nothing was bought for good; `retry` and
   * `retry_after` say that nothing was bought yet; `unknown` says to look the order up before anything else.
   * @throws UpstreamError, or what `beforeSend` throws.
   */
  async placeOrder(order: PlaceOrder): Promise<SupplierOrder> {
    if (!Number.isSafeInteger(order.quantity) || order.quantity < 1) throw new RangeError('quantity must be 1 or more');
    return this.#upstream.request({
      operation: 'placeOrder',
      method: 'POST',
      path: '/v3/orders',
      body: writeOrder(order),
      isSafeToRepeat: false,
      budget: this.#purchasesBudget,
      maxWaitMs: ORDER_MAX_WAIT_MS,
      beforeSend: order.beforeSend,
      // Anything else that says 400 or 404, a proxy or the token check, does not speak for the order.
      readRefusal: readCwsRefusal,
      parse: (body) => readPlacedOrder(body, order),
    });
  }

  /** An order with its codes, by CWS's id or by our own; null when CWS does not know it. */
  order(id: string, limits: CallLimits = {}): Promise<SupplierOrder | null> {
    return this.#upstream.find({
      operation: 'order',
      method: 'GET',
      path: '/v3/orders/{orderId}',
      pathValues: { orderId: id },
      isSafeToRepeat: true,
      retries: READ_RETRIES,
      budget: this.#ordersBudget,
      maxWaitMs: ORDER_MAX_WAIT_MS,
      parse: readOrder,
      ...limits,
    });
  }

  /**
   * All orders of a window. Ask for wide windows: their edges are not published. Orders of others that cannot be read are not
   * among them; one under a reference of ours that cannot be read fails the whole.
   */
  async orderHistory(window: HistoryWindow, limits: CallLimits = {}): Promise<SupplierOrderSummary[]> {
    const orders: SupplierOrderSummary[] = [];
    const continuation = new Continuation();
    let hasMore = true;
    while (hasMore) {
      hasMore = await this.#upstream.request({
        operation: 'orderHistory',
        method: 'GET',
        path: '/v3/orders',
        query: { startFrom: window.from.toISOString(), endOn: window.to.toISOString(), ...continuation.query },
        isSafeToRepeat: true,
        retries: READ_RETRIES,
        budget: this.#ordersBudget,
        maxWaitMs: ORDER_MAX_WAIT_MS,
        ...limits,
        parse: (body) => {
          const page = readOrderHistory(body, window.ownPrefix);
          if (page.skipped.length > 0) window.onSkipped?.(page.skipped);
          const isContinued = continuation.advance(page.continuationToken);
          orders.push(...page.orders);
          return isContinued;
        },
      });
    }
    return orders;
  }

  /** One code, with its value once the supplier has it; null when CWS does not know it. */
  code(codeId: string): Promise<SupplierCode | null> {
    return this.#upstream.find({
      operation: 'code',
      method: 'GET',
      path: '/v3/codes/{codeId}',
      pathValues: { codeId },
      isSafeToRepeat: true,
      retries: READ_RETRIES,
      budget: this.#ordersBudget,
      maxWaitMs: ORDER_MAX_WAIT_MS,
      parse: readFetchedCode,
    });
  }

  /** What is left to buy with. */
  account(): Promise<SupplierAccount> {
    return this.#upstream.request({
      operation: 'account',
      method: 'GET',
      path: '/v3/accounts/current',
      isSafeToRepeat: true,
      retries: READ_RETRIES,
      budget: this.#ordersBudget,
      maxWaitMs: ORDER_MAX_WAIT_MS,
      parse: readAccount,
    });
  }

  /** Closes idle connections. */
  close(): void {
    this.#tokenBudget.close();
    this.#productsBudget.close();
    this.#productBudget.close();
    this.#purchasesBudget.close();
    this.#ordersBudget.close();
    this.#upstream.close();
  }

  #singleProduct<T>(cwsProductId: string, parse: (body: unknown) => T, limits: CallLimits): Promise<T | null> {
    return this.#upstream.find({
      operation: 'product',
      method: 'GET',
      path: '/v3/products/{productId}',
      pathValues: { productId: cwsProductId },
      isSafeToRepeat: true,
      retries: READ_RETRIES,
      budget: this.#productBudget,
      parse,
      ...limits,
    });
  }

  async *#productPages(
    filter: Record<string, string>,
    limits: CallLimits,
    continueFrom: string | null = null,
  ): AsyncIterable<ListedPage> {
    const continuation = new Continuation(continueFrom);
    let hasMore = true;
    while (hasMore) {
      const page = await this.#upstream.request({
        operation: 'products',
        method: 'GET',
        path: '/v3/products',
        query: { ...filter, ...continuation.query },
        isSafeToRepeat: true,
        retries: READ_RETRIES,
        budget: this.#productsBudget,
        parse: (body, answeredAt): ListedPage => {
          const { page, continuationToken } = readProductPage(body);
          continuation.advance(continuationToken);
          return { ...page, continueFrom: continuationToken, answeredAt };
        },
        ...limits,
      });
      hasMore = page.continueFrom !== null;
      yield page;
    }
  }
}

/** Comma separated lists of ids, each short enough for a URL. */
function joinInBatches(ids: readonly string[]): string[] {
  const batches: string[] = [];
  let batch = '';
  for (const id of ids) {
    const longer = batch === '' ? id : `${batch},${id}`;
    if (batch !== '' && encodeURIComponent(longer).length > MAX_ID_CHARACTERS) {
      batches.push(batch);
      batch = id;
    } else {
      batch = longer;
    }
  }
  return batch === '' ? batches : [...batches, batch];
}
