import type { EntityManager } from 'typeorm';
import { type OfferToPublish, offersToPublish } from '../catalog/offer-changes.queries.js';
import { canWait } from './publish.rules.js';

/** Offers read at once. */
const BATCH = 500;
/** Longer than this nothing more urgent is kept waiting by what was read. */
const MAX_AGE_MS = 1000;

/** Offers under way, by id. */
type UnderWay = ReadonlyMap<string, unknown>;

/** What the queue is told of the world. */
export interface PublishQueueOptions {
  readonly lowStock: number;
  /** Whether G2A may be in trouble now. */
  readonly isDoubtful: () => boolean;
  /** Whether news that may be more urgent are under way: what can wait does then. */
  readonly isMoreToCome: () => boolean | Promise<boolean>;
}

/** What is to be published, most urgent first, as of at most a second ago. */
export class PublishQueue {
  private offers: OfferToPublish[] = [];
  private readAtMs = -Infinity;
  /** It was read before the news were over: those that came last may be more urgent than anything in it. */
  private mayLackNews = true;
  /** What `first` has let through last. */
  private allowed: OfferToPublish | undefined;

  constructor(
    private readonly manager: EntityManager,
    private readonly options: PublishQueueOptions,
  ) {}

  /** The most urgent one that may be sent now, which stays where it is; undefined when there is none, or all that there are wait. */
  async first(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    this.allowed = await this.firstAllowed(underWay);
    return this.allowed;
  }

  /** The same, and takes it out. What `first` has let through is not asked about again, as long as it is still the most urgent. */
  async take(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    let offer = await this.peek(underWay);
    if (offer !== this.allowed) offer = await this.first(underWay);
    if (offer !== undefined) this.offers.pop();
    return offer;
  }

  private async firstAllowed(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    const first = await this.peek(underWay);
    if (first === undefined || !canWait(first)) return first;
    if (await this.options.isMoreToCome()) {
      this.mayLackNews = true;
      return undefined;
    }
    if (!this.mayLackNews) return first;
    this.mayLackNews = false;
    this.offers = [];
    return this.firstAllowed(underWay);
  }

  private async peek(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    if (this.offers.length === 0 || performance.now() - this.readAtMs > MAX_AGE_MS) await this.read(underWay);
    return this.offers.at(-1);
  }

  private async read(underWay: UnderWay): Promise<void> {
    const isDoubtful = this.options.isDoubtful();
    const choice = { lowStock: this.options.lowStock, except: [...underWay.keys()], limit: BATCH, isDoubtful };
    this.readAtMs = performance.now();
    // Reversed: taking from the end costs nothing.
    this.offers = (await offersToPublish(this.manager, choice)).reverse();
  }
}
