import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { type ObservedOffer, storeObservedOffers } from '../catalog/observed-offers.queries.js';
import { mappedOfferIds } from '../catalog/offers.queries.js';
import { lockOffersInBulk } from '../catalog/repricings.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { inTransaction } from '../database/one-connection.js';
import { G2aClient, type ListingLimits } from '../g2a/g2a-client.js';
import type { MarketplaceOffer, RejectedOffer } from '../g2a/g2a.types.js';
import { FailingOffersService } from './failing-offers.service.js';
import { OfferDeactivationsService } from './offer-deactivations.service.js';

const DROPSHIPPING = 'dropshipping';

/** So long nobody is asked again for the type of an offer of which G2A did not tell it. */
const ASK_TYPE_AGAIN_MS = 60 * 60_000;

/** What was read of our offers. */
export interface ListingResult {
  /** Products that are ours to look at, each with its offer if that was known before. */
  readonly known: ReadonlyMap<number, string | null>;
  /** Those among them with a dropshipping offer. */
  readonly seen: ReadonlySet<number>;
  /** Subjects of the alerts that were raised. */
  readonly unclear: readonly string[];
  /** Requests that it took. */
  readonly pages: number;
}

/** Reads what G2A shows of the offers of mapped products, and of nothing else. */
@Injectable()
export class ReadListingService {
  /** Types, where the listing leaves them out, of offers that we do not follow: they never change. */
  private readonly types = new Map<string, { readonly type: string | null; readonly askedAtMs: number }>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    private readonly failing: FailingOffersService,
    private readonly deactivations: OfferDeactivationsService,
  ) {}

  /**
   * Reads a listing and stores what it shows of our products, each page as it comes. Offers that are new to us become ours only
   * by the whole listing: a part of it may show one of several.
   * @throws UpstreamError when it cannot be read to its end.
   */
  async read(filter: { updatedAtFrom?: Date }, limits: ListingLimits = {}): Promise<ListingResult> {
    const { manager } = this.dataSource;
    const isWhole = filter.updatedAtFrom === undefined;
    // Offers already ours stay so until the publisher lets go of them, also when their mapping was deleted.
    const known = await mappedOfferIds(manager);
    const knownOffers = new Set(known.values());
    /** By product: its dropshipping offers. */
    const listed = new Map<number, Set<string>>();
    /** Of several offers nobody has ever followed, nobody can say which is meant: only the end of the listing tells. */
    const unknown = new Map<number, { offer: MarketplaceOffer; seenAt: Date }>();
    const unclear: string[] = [];
    let pages = 0;
    let seenAt = await databaseNow(manager);
    for await (const page of this.g2a.offers(filter, limits)) {
      pages += 1;
      for (const rejected of page.rejected) unclear.push(await this.tellOfRejected(rejected, knownOffers));
      const followed: MarketplaceOffer[] = [];
      for (const offer of page.offers) {
        const ours = known.get(offer.g2aProductId);
        if (ours === undefined || (ours === null && !isWhole)) continue;
        const type = await this.typeOf(offer, ours, limits);
        if (type === null) unclear.push(offer.g2aOfferId);
        if (type !== DROPSHIPPING) continue;
        // Pages may shift while they are read, and show an offer twice.
        const offers = listed.get(offer.g2aProductId) ?? new Set();
        listed.set(offer.g2aProductId, offers.add(offer.g2aOfferId));
        if (ours === offer.g2aOfferId) followed.push(offer);
        else if (ours === null) unknown.set(offer.g2aProductId, { offer, seenAt });
      }
      await this.store(followed, seenAt);
      seenAt = await databaseNow(manager);
    }

    for (const [product, ids] of listed) {
      if (ids.size === 1 && (known.get(product) === null || ids.has(known.get(product) ?? ''))) continue;
      unclear.push(String(product));
      unknown.delete(product);
      await this.tellOfAmbiguous(product, [...ids], known.get(product) ?? null);
    }
    for (const { offer, seenAt: at } of unknown.values()) await this.store([offer], at);
    return { known, seen: new Set(listed.keys()), unclear, pages };
  }

  /**
   * Looks at one offer by its id, and follows it if it is a dropshipping offer of this product.
   * @throws UpstreamError also when the answer is not understood.
   */
  async readOne(g2aOfferId: string, g2aProductId: number): Promise<'followed' | 'not_ours' | 'gone'> {
    const seenAt = await databaseNow(this.dataSource.manager);
    const offer = await this.g2a.offer(g2aOfferId);
    if (offer === null) return 'gone';
    if (offer.type !== DROPSHIPPING || offer.g2aProductId !== g2aProductId) return 'not_ours';
    await this.store([offer], seenAt);
    return 'followed';
  }

  private async store(offers: readonly MarketplaceOffer[], seenAt: Date): Promise<void> {
    if (offers.length === 0) return;
    const seen = offers.map(observed);
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

  /**
   * The listing of some accounts leaves the type out; the detail tells. Still unclear means not ours to touch.
   * @param ours the offer of its product that we follow.
   */
  private async typeOf(offer: MarketplaceOffer, ours: string | null, limits: ListingLimits): Promise<string | null> {
    if (offer.type !== null) return offer.type;
    if (offer.g2aOfferId === ours) return DROPSHIPPING;
    const type = await this.askedType(offer.g2aOfferId, limits);
    if (type === null) {
      const message = 'G2A does not tell the type of this offer: left alone';
      await this.alerts.raise('offer_unreadable', offer.g2aOfferId, message);
    }
    return type;
  }

  private async askedType(g2aOfferId: string, limits: ListingLimits): Promise<string | null> {
    const known = this.types.get(g2aOfferId);
    const nowMs = performance.now();
    if (known !== undefined && (known.type !== null || nowMs - known.askedAtMs < ASK_TYPE_AGAIN_MS)) return known.type;
    const type = (await this.g2a.offer(g2aOfferId, limits))?.type ?? null;
    this.types.set(g2aOfferId, { type, askedAtMs: nowMs });
    return type;
  }
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
