import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { type FollowedOffer, type ObservedOffer, storeObservedOffers } from '../catalog/observed-offers.queries.js';
import { followedOffers, mappedOfferIds } from '../catalog/offers.queries.js';
import { lockOffersInBulk } from '../catalog/repricings.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { inTransaction } from '../database/one-connection.js';
import { G2aClient, type ListingLimits } from '../g2a/g2a-client.js';
import type { MarketplaceOffer, OfferPage, RejectedOffer } from '../g2a/g2a.types.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { FailingOffersService } from './failing-offers.service.js';
import { clockLeadMs, positionAfter } from './feed-window.rules.js';
import { LeadershipService } from './leadership.service.js';
import { ListedOffers } from './listed-offers.js';
import { OfferDeactivationsService } from './offer-deactivations.service.js';
import { DROPSHIPPING, OfferTypesService } from './offer-types.service.js';

/** People are told when G2A's clock is further off. */
const LARGE_CLOCK_LEAD_MS = 60_000;
/** Offers new to us that are stored in one transaction. */
const STORED_AT_ONCE = 100;
/** For questions about single offers. */
const BY_ID_LIMITS: CallLimits = { priority: 'upkeep', timeoutMs: 5000, maxWaitMs: 5000, retries: 1 };

/** An offer that was listed, with the database time before that page was asked for. */
interface SeenOffer {
  readonly offer: ObservedOffer;
  readonly seenAt: Date;
}

/** What was read of our offers. */
export interface ListingResult {
  /**
   * Products that are ours to look at, each with its offer if that was known before; of a part of the listing: those on it with an
   * offer that we follow.
   */
  readonly known: ReadonlyMap<number, string | null>;
  /** The dropshipping offers of these products. */
  readonly seen: Pick<ListedOffers, 'has' | 'shows'>;
  /** Products with an offer of which nobody can say whether it is a dropshipping offer. */
  readonly withUnclearOffer: ReadonlySet<number>;
  /** Subjects of the alerts that were raised. */
  readonly unclear: readonly string[];
  /** Requests that it took. */
  readonly pages: number;
}

/** Reads what G2A shows of the offers of mapped products, and of nothing else. */
@Injectable()
export class ReadListingService {
  /** How far G2A's clock is ahead of the database's, in milliseconds; 0 while unknown. */
  private clockLeadMs = 0;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    private readonly failing: FailingOffersService,
    private readonly deactivations: OfferDeactivationsService,
    private readonly leadership: LeadershipService,
    private readonly types: OfferTypesService,
  ) {}

  /**
   * Reads a listing and stores what it shows of our products, each page as it comes. Offers that are new to us become ours only
   * by the whole listing: a part of it may show one of several.
   * @param changedSince database time, from which what has changed is read; null: the whole listing.
   * @param onPage called for each page that has come.
   * @returns null when it was left because somebody else leads, or the process ends.
   * @throws UpstreamError when it cannot be read to its end.
   */
  async read(
    changedSince: Date | null,
    limits: ListingLimits,
    onPage: () => void = () => undefined,
  ): Promise<ListingResult | null> {
    const { manager } = this.dataSource;
    const isWhole = changedSince === null;
    // Offers already ours stay so until the publisher lets go of them, also when their mapping was deleted.
    const known = isWhole ? await mappedOfferIds(manager) : new Map<number, string | null>();
    const knownOffers = new Set(known.values());
    const listed = new ListedOffers();
    /** Of several offers nobody has ever followed, nobody can say which is meant: only the end of the listing tells. */
    const unknown = new Map<number, SeenOffer>();
    const unclear: string[] = [];
    const withUnclearOffer = new Set<number>();
    let pages = 0;
    let seenAt = await databaseNow(manager);
    const filter = isWhole ? {} : { updatedAtFrom: positionAfter(changedSince, this.clockLeadMs) };
    for await (const page of this.g2a.offers(filter, limits)) {
      if (!this.leadership.isLeader()) return null;
      pages += 1;
      onPage();
      const receivedAt = await databaseNow(manager);
      if (page.answeredAt !== null) this.clockLeadMs = clockLeadMs(page.answeredAt, receivedAt.getTime());
      if (!isWhole) {
        for (const [product, g2aOfferId] of await followedOn(manager, page)) {
          known.set(product, g2aOfferId);
          knownOffers.add(g2aOfferId);
        }
      }
      for (const rejected of page.rejected) unclear.push(await this.tellOfRejected(rejected, knownOffers));
      const followed: MarketplaceOffer[] = [];
      for (const offer of page.offers) {
        const ours = known.get(offer.g2aProductId);
        if (ours === undefined) continue;
        const type = await this.types.typeOf(offer, ours, limits);
        if (type === null) {
          unclear.push(offer.g2aOfferId);
          withUnclearOffer.add(offer.g2aProductId);
        }
        if (type !== DROPSHIPPING) continue;
        listed.add(offer);
        if (ours === offer.g2aOfferId) followed.push(offer);
        else if (ours === null) unknown.set(offer.g2aProductId, { offer: observed(offer), seenAt });
      }
      await this.store(followed.map(observed), seenAt);
      seenAt = receivedAt;
    }

    for (const [product, ids] of listed.unlike(known)) {
      unclear.push(String(product));
      unknown.delete(product);
      await this.tellOfAmbiguous(product, ids, known.get(product) ?? null);
    }
    await this.storeNew([...unknown.values()]);
    if (isWhole) this.types.forgetUnlisted();
    await this.tellOfClock();
    return { known, seen: listed, withUnclearOffer, unclear, pages };
  }

  /**
   * Looks at one offer by its id, and follows it if it is a dropshipping offer of this product.
   * @throws UpstreamError also when the answer is not understood.
   */
  async readOne(g2aOfferId: string, g2aProductId: number): Promise<'followed' | 'not_ours' | 'gone'> {
    return this.readById({ g2aOfferId, g2aProductId }, null);
  }

  /**
   * Looks at an offer that we follow by its id: stores what it shows, or lets go of it when G2A says that it is gone.
   * @returns false when the answer says nothing about it.
   * @throws UpstreamError when there is no answer.
   */
  async lookAt(followed: FollowedOffer): Promise<boolean> {
    try {
      const outcome = await this.readById(followed, followed.g2aOfferId);
      if (outcome === 'gone') await this.failing.forget(followed.g2aOfferId, 'gone at G2A');
      return outcome !== 'not_ours';
    } catch (error) {
      // An answer that is not understood is none; anything else concerns all of them.
      if (error instanceof UpstreamError && error.kind === 'unknown') return false;
      throw error;
    }
  }

  /** @param ours the offer of its product that we follow: of that one the type is known. */
  private async readById(
    { g2aOfferId, g2aProductId }: FollowedOffer,
    ours: string | null,
  ): Promise<'followed' | 'not_ours' | 'gone'> {
    const seenAt = await databaseNow(this.dataSource.manager);
    const offer = await this.g2a.offer(g2aOfferId, BY_ID_LIMITS);
    if (offer === null) return 'gone';
    const type = offer.type ?? (g2aOfferId === ours ? DROPSHIPPING : null);
    if (type !== DROPSHIPPING || offer.g2aProductId !== g2aProductId) return 'not_ours';
    await this.store([observed(offer)], seenAt);
    return 'followed';
  }

  /** A few transactions, also when thousands were mapped. */
  private async storeNew(offers: readonly SeenOffer[]): Promise<void> {
    for (let start = 0; start < offers.length; start += STORED_AT_ONCE) {
      const chunk = offers.slice(start, start + STORED_AT_ONCE);
      const seenAt = new Date(Math.min(...chunk.map((seen) => seen.seenAt.getTime())));
      await this.store(
        chunk.map((seen) => seen.offer),
        seenAt,
      );
      this.types.forget(chunk.map((seen) => seen.offer.g2aOfferId));
    }
  }

  private async tellOfClock(): Promise<void> {
    if (Math.abs(this.clockLeadMs) <= LARGE_CLOCK_LEAD_MS) {
      await this.alerts.clear('clock_skew', 'g2a');
      return;
    }
    const seconds = Math.round(Math.abs(this.clockLeadMs) / 1000);
    const message = `G2A's clock is ${seconds} s ${this.clockLeadMs < 0 ? 'behind' : 'ahead of'} the database's: correct ours if it is wrong`;
    await this.alerts.raise('clock_skew', 'g2a', message);
  }

  private async store(seen: readonly ObservedOffer[], seenAt: Date): Promise<void> {
    if (seen.length === 0) return;
    await this.deactivations.clearReactivated(seen);
    const isOff = seen.filter((offer) => !offer.isActive).map((offer) => offer.g2aOfferId);
    const { troubles, switchedOff } = await inTransaction(this.dataSource, async (manager) => {
      await lockOffersInBulk(manager);
      const { found, ...news } = await storeObservedOffers(manager, seen, seenAt);
      await this.deactivations.noteEarlier(
        manager,
        isOff.filter((id) => found.includes(id)),
      );
      return news;
    });
    for (const trouble of troubles) await this.failing.report(trouble);
    await this.deactivations.tellOfSwitchedOff(switchedOff);
  }

  /** One that is not known may be that of a product without an offer: told once, of no subject of its own. */
  private async tellOfRejected(rejected: RejectedOffer, knownOffers: ReadonlySet<string | null>): Promise<string> {
    const { g2aOfferId, reason } = rejected;
    const subject = g2aOfferId !== null && knownOffers.has(g2aOfferId) ? g2aOfferId : '';
    await this.alerts.raise('offer_unreadable', subject, `${g2aOfferId ?? 'an offer'}: ${reason}`);
    return subject;
  }

  private async tellOfAmbiguous(product: number, ids: readonly string[], ours: string | null): Promise<void> {
    const followed = ours === null ? 'none' : `only ${ours}`;
    const message = `G2A product ${product} has dropshipping offers ${ids.join(', ')}; ${followed} is followed`;
    await this.alerts.raise('offer_ambiguous', String(product), message);
  }
}

function followedOn(manager: EntityManager, { offers, rejected }: OfferPage): Promise<[number, string][]> {
  return followedOffers(
    manager,
    offers.map((offer) => offer.g2aProductId),
    rejected.flatMap(({ g2aOfferId }) => g2aOfferId ?? []),
  );
}

function observed(offer: MarketplaceOffer): ObservedOffer {
  return {
    g2aOfferId: offer.g2aOfferId,
    g2aProductId: offer.g2aProductId,
    retailPriceCents: offer.retailPrice,
    businessPriceCents: offer.businessPrice,
    priceLimit: offer.priceLimit,
    size: offer.size,
    isActive: offer.isActive,
    visibility: offer.visibility ?? 'all',
  };
}
