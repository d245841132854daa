import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AcquireOptions,
  type BudgetMaker,
  inProcessBudget,
  type RequestBudget,
  type RequestRate,
} from '../upstream/request-budget.js';
import type { CallLimits, UpstreamClient, UpstreamConnectionOptions } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { WireShapeError } from '../upstream/wire.js';
import { type Cents, formatCents } from '../money/cents.js';
import { connectToG2a, type G2aCredentials, readRefusal } from './client/g2a-connection.js';
import type {
  CreatedOffer,
  MarketplaceJob,
  MarketplaceOffer,
  NewOffer,
  OfferChange,
  OfferPage,
  SimulatedSale,
} from './g2a.types.js';
import { readJob, readStartedJob } from './mapping/job.mapping.js';
import { readSimulation } from './mapping/simulation.mapping.js';
import { readOfferPage, readSingleOffer } from './mapping/offer.mapping.js';
import { readExistingOffer, writeNewOffer, writeOfferChange } from './mapping/offer-change.mapping.js';
import { TakenRoom } from './taken-room.js';

export interface G2aClientOptions extends UpstreamConnectionOptions, G2aCredentials {
  /** Limit of all calls together. */
  readonly rate: RequestRate;
  /** Default: a budget of this process alone. */
  readonly budgetOf?: BudgetMaker;
}

/** How fast a listing may be read. */
export interface ListingLimits extends CallLimits {
  /** From the request of one page to that of the next at least, in milliseconds; default 0. */
  readonly pageGapMs?: number;
}

const CONFLICT = 409;
/** Repeats of a call that met a passing failure. */
const RETRIES = 2;
/** The most that G2A gives. */
const ITEMS_PER_PAGE = 100;

/** G2A's seller API, v3. Every method throws UpstreamError; what each kind means is told there. */
export class G2aClient {
  readonly #upstream: UpstreamClient;
  readonly #budget: RequestBudget;

  constructor(options: G2aClientOptions) {
    const { rate, budgetOf = inProcessBudget, ...connection } = options;
    this.#upstream = connectToG2a(connection);
    this.#budget = budgetOf('g2a', 'seller API', rate);
  }

  /** Our offers, page by page; with `updatedAtFrom` (the marketplace's clock) those that changed since. */
  async *offers(
    filter: { updatedAtFrom?: Date } = {},
    { pageGapMs = 0, ...limits }: ListingLimits = {},
  ): AsyncIterable<OfferPage> {
    const since: Record<string, string> =
      filter.updatedAtFrom === undefined ? {} : { updatedAtFrom: filter.updatedAtFrom.toISOString() };
    let hasMore = true;
    for (let page = 1, nextAtMs = 0; hasMore; page += 1) {
      await sleep(Math.max(0, nextAtMs - performance.now()));
      nextAtMs = performance.now() + pageGapMs;
      const answer = await this.#upstream.request({
        operation: 'offers',
        method: 'GET',
        path: '/v3/sales/offers',
        query: { ...since, page: String(page), itemsPerPage: String(ITEMS_PER_PAGE) },
        isSafeToRepeat: true,
        retries: RETRIES,
        budget: this.#budget,
        parse: (body, answeredAt) => readPageNumber(body, answeredAt, page),
        ...limits,
      });
      hasMore = answer.hasMore;
      yield answer.page;
    }
  }

  /** One offer; null when it is gone. */
  offer(g2aOfferId: string, limits: CallLimits = {}): Promise<MarketplaceOffer | null> {
    return this.#upstream.find({
      operation: 'offer',
      method: 'GET',
      path: '/v3/sales/offers/{offerId}',
      pathValues: { offerId: g2aOfferId },
      isSafeToRepeat: true,
      retries: RETRIES,
      budget: this.#budget,
      parse: readSingleOffer,
      ...limits,
    });
  }

  /**
   * Waits for room for one update or creation, of which the caller decides only then what it says.
   * @throws UpstreamError `retry_after` when there is none in time.
   */
  roomForUpdate(options: AcquireOptions): Promise<TakenRoom> {
    return TakenRoom.take(this.#budget, options);
  }

  /**
   * Asks for new values. The change is asynchronous: the job, or without one the next listing, tells whether it
   * happened. The values are absolute, so the call is repeated after a passing failure.
   * @param limits.beforeSend called right before the request is written: what it throws is thrown, and nothing is sent.
   */
  async updateOffer(
    g2aOfferId: string,
    change: OfferChange,
    { room, ...limits }: CallLimits & { readonly room?: TakenRoom; readonly beforeSend?: () => void } = {},
  ): Promise<{ jobId: string | null }> {
    return this.#upstream.request({
      operation: 'updateOffer',
      method: 'PATCH',
      path: '/v3/sales/offers/{offerId}',
      pathValues: { offerId: g2aOfferId },
      body: writeOfferChange(change),
      isSafeToRepeat: true,
      retries: RETRIES,
      budget: room ?? this.#budget,
      parse: readStartedJob,
      ...limits,
    });
  }

  /**
   * Asks for a dropshipping offer of a product that has none. Sent once: another try might create a second one.
   * @param limits.beforeSend called right before the request is written: what it throws is thrown, and nothing is sent.
   * @returns the job that creates it, or the offer that the product has already.
   */
  async createOffer(
    g2aProductId: number,
    offer: NewOffer,
    { room, ...limits }: CallLimits & { readonly room?: TakenRoom; readonly beforeSend?: () => void } = {},
  ): Promise<CreatedOffer> {
    const existing: { offerId: string | null } = { offerId: null };
    try {
      return await this.#upstream.request<CreatedOffer>({
        operation: 'createOffer',
        method: 'POST',
        path: '/v3/sales/offers',
        body: writeNewOffer(g2aProductId, offer),
        isSafeToRepeat: false,
        budget: room ?? this.#budget,
        readRefusal: (body) => {
          existing.offerId = readExistingOffer(body);
          return readRefusal(body);
        },
        parse: readStartedJob,
        ...limits,
      });
    } catch (error) {
      const isConflict = error instanceof UpstreamError && error.status === CONFLICT;
      if (!isConflict || existing.offerId === null) throw error;
      return { existingOfferId: existing.offerId };
    }
  }

  /** How far a change is. */
  job(jobId: string, limits: CallLimits = {}): Promise<MarketplaceJob> {
    return this.#upstream.request({
      operation: 'job',
      method: 'GET',
      path: '/v3/jobs/{jobId}',
      pathValues: { jobId },
      isSafeToRepeat: true,
      retries: RETRIES,
      budget: this.#budget,
      parse: readJob,
      ...limits,
    });
  }

  /**
   * What a sale of this product at this price would leave to us: G2A's fees are known no better. Asked once, never repeated: an
   * answer that does not come can be asked for again later.
   * @param price above 0.
   */
  simulatePrice(g2aProductId: number, price: Cents, limits: CallLimits = {}): Promise<SimulatedSale> {
    return this.#upstream.request({
      operation: 'simulatePrice',
      method: 'GET',
      path: '/v3/pricing/simulations',
      query: { productId: String(g2aProductId), price: formatCents(price) },
      isSafeToRepeat: true,
      budget: this.#budget,
      parse: (body) => readSimulation(body, price),
      ...limits,
    });
  }

  /** Closes idle connections. */
  close(): void {
    this.#budget.close();
    this.#upstream.close();
  }
}

// A listing must come to its end, and must not come to it early: an offer that is missing looks like one that is gone.
function readPageNumber(body: unknown, answeredAt: Date | null, asked: number): { page: OfferPage; hasMore: boolean } {
  const { page, position, itemCount } = readOfferPage(body);
  if (position.page !== null && position.page !== asked)
    throw new WireShapeError('meta.page', 'is not the page asked for');
  const itemsPerPage = position.itemsPerPage ?? ITEMS_PER_PAGE;
  const hasMore = asked * itemsPerPage < position.totalResults;
  if (hasMore && itemCount === 0) throw new WireShapeError('data', 'is empty before meta.totalResults is reached');
  return { page: { ...page, answeredAt }, hasMore };
}
