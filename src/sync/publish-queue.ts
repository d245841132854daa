import type { EntityManager } from 'typeorm';
import { type OfferToPublish, offersToPublish } from '../catalog/offer-changes.queries.js';

/** Offers read at once. */
const BATCH = 500;
/** Longer than this nothing more urgent is kept waiting by what was read. */
const MAX_AGE_MS = 1000;

/** Offers under way, by id. */
type UnderWay = ReadonlyMap<string, unknown>;

/** What is to be published, most urgent first, as of at most a second ago. */
export class PublishQueue {
  private offers: OfferToPublish[] = [];
  private readAtMs = -Infinity;

  /** @param isDoubtful whether G2A may be in trouble now. */
  constructor(
    private readonly manager: EntityManager,
    private readonly lowStock: number,
    private readonly isDoubtful: () => boolean,
  ) {}

  /** The most urgent one, which stays where it is; undefined when there is none. */
  async first(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    if (this.offers.length === 0 || performance.now() - this.readAtMs > MAX_AGE_MS) await this.read(underWay);
    return this.offers.at(-1);
  }

  /** The most urgent one; undefined when there is none. */
  async take(underWay: UnderWay): Promise<OfferToPublish | undefined> {
    await this.first(underWay);
    return this.offers.pop();
  }

  /** What comes next is read anew. */
  forget(): void {
    this.offers = [];
  }

  private async read(underWay: UnderWay): Promise<void> {
    const isDoubtful = this.isDoubtful();
    const choice = { lowStock: this.lowStock, except: [...underWay.keys()], limit: BATCH, isDoubtful };
    this.readAtMs = performance.now();
    // Reversed: taking from the end costs nothing.
    this.offers = (await offersToPublish(this.manager, choice)).reverse();
  }
}
