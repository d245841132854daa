import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { mappedOfferIds, oldestUnconfirmed, productsWithoutOffer } from '../catalog/offers.queries.js';
import { type ObservedOffer, storeObservedOffers } from '../catalog/observed-offers.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { OfferDeactivationsService } from './offer-deactivations.service.js';
import { FailingOffersService } from './failing-offers.service.js';
import type { MarketplaceOffer } from '../g2a/g2a.types.js';

const DROPSHIPPING = 'dropshipping';
/** The whole listing is read this often, to find drift, new offers and lost ones. */
const FULL_LISTING_INTERVAL_MS = 10 * 60_000;
/** While changes are unconfirmed, the changed part of the listing is read this often. */
const CONFIRMATION_INTERVAL_MS = 10_000;
/** Nobody says what clock `updatedAtFrom` is measured by: ask for a little more. */
const CONFIRMATION_OVERLAP_MS = 60_000;

interface ListingResult {
  readonly mapped: readonly number[];
  readonly seen: ReadonlySet<number>;
  readonly unclear: readonly string[];
}

/** Learns what G2A shows: the offers of mapped products, and nothing else. */
@Injectable()
export class ReconcileOffersService {
  private fullListingAt: Date | null = null;
  private confirmedAt: Date | null = null;
  /** Products of which the whole listing, when it was read last, showed no offer. */
  private notFound: ReadonlySet<number> = new Set();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    private readonly failing: FailingOffersService,
    private readonly deactivations: OfferDeactivationsService,
  ) {}

  /**
   * Reads the whole listing when that is due or a product has no known offer that the last one did not lack; otherwise,
   * while changes are unconfirmed, what changed since the oldest of them.
   * @returns whether G2A was asked.
   */
  async readIfDue(): Promise<boolean> {
    const { manager } = this.dataSource;
    const now = await databaseNow(manager);
    const isDue =
      this.fullListingAt === null || now.getTime() - this.fullListingAt.getTime() >= FULL_LISTING_INTERVAL_MS;
    if (isDue || (await productsWithoutOffer(manager)).some((product) => !this.notFound.has(product))) {
      await this.readAll();
      this.fullListingAt = this.confirmedAt = now;
      return true;
    }
    if (this.confirmedAt !== null && now.getTime() - this.confirmedAt.getTime() < CONFIRMATION_INTERVAL_MS)
      return false;
    const unconfirmedSince = await oldestUnconfirmed(manager);
    if (unconfirmedSince === null) return false;
    await this.read({ updatedAtFrom: new Date(unconfirmedSince.getTime() - CONFIRMATION_OVERLAP_MS) });
    this.confirmedAt = now;
    return true;
  }

  /** Reads the whole listing: finds offers of newly mapped products, drift, and mappings without an offer. */
  async readAll(): Promise<void> {
    const { mapped, seen, unclear } = await this.read({});
    await this.alerts.clearAllBut('offer_ambiguous', unclear);
    await this.alerts.clearAllBut('offer_unreadable', unclear);
    const missing = mapped.filter((product) => !seen.has(product));
    this.notFound = new Set(await productsWithoutOffer(this.dataSource.manager));
    if (missing.length === 0) {
      await this.alerts.clear('offer_missing');
      return;
    }
    const examples = missing.slice(0, 5).join(', ');
    await this.alerts.raise(
      'offer_missing',
      '',
      `${missing.length} mapped products have no dropshipping offer on G2A, for example ${examples}`,
    );
  }

  /**
   * Reads a listing and stores what it shows of our products.
   * @returns the products that are ours to look at, those with a dropshipping offer, and the subjects of alerts raised.
   */
  private async read(filter: { updatedAtFrom?: Date }): Promise<ListingResult> {
    const { manager } = this.dataSource;
    // Offers already ours stay so until the publisher lets go of them, also when their mapping was deleted.
    const known = await mappedOfferIds(manager);
    const knownOffers = new Set(known.values());
    const byProduct = new Map<number, MarketplaceOffer[]>();
    const unclear: string[] = [];
    const seenAt = await databaseNow(manager);
    for await (const page of this.g2a.offers(filter)) {
      for (const { g2aOfferId, reason } of page.rejected) {
        // One that is not known may be that of a product without an offer: told once, below no subject of its own.
        const subject = g2aOfferId !== null && knownOffers.has(g2aOfferId) ? g2aOfferId : '';
        unclear.push(subject);
        await this.alerts.raise('offer_unreadable', subject, `${g2aOfferId ?? 'an offer'}: ${reason}`);
      }
      for (const offer of page.offers) {
        if (!known.has(offer.g2aProductId)) continue;
        const type = await this.typeOf(offer);
        if (type === null) unclear.push(offer.g2aOfferId);
        if (type !== DROPSHIPPING) continue;
        // Pages may shift while they are read, and show an offer twice.
        const others = (byProduct.get(offer.g2aProductId) ?? []).filter(
          (other) => other.g2aOfferId !== offer.g2aOfferId,
        );
        byProduct.set(offer.g2aProductId, [...others, offer]);
      }
    }

    const clear: ObservedOffer[] = [];
    for (const [product, offers] of byProduct) {
      const ours = known.get(product) ?? null;
      // The one we know goes on being followed; of several unknown ones nobody can say which is meant.
      const followed = offers.find((offer) => offer.g2aOfferId === ours) ?? (ours === null ? offers[0] : undefined);
      const isAlone = offers.length === 1 && followed !== undefined;
      if (followed !== undefined && (isAlone || ours !== null)) clear.push(observed(followed));
      if (isAlone) continue;
      unclear.push(String(product));
      const ids = offers.map((offer) => offer.g2aOfferId).join(', ');
      await this.alerts.raise(
        'offer_ambiguous',
        String(product),
        `G2A product ${product} has dropshipping offers ${ids}; ${ours === null ? 'none' : `only ${ours}`} is followed`,
      );
    }
    await this.deactivations.clearReactivated(clear);
    const isNew = ({ g2aProductId, isActive }: ObservedOffer) => known.get(g2aProductId) === null && !isActive;
    const newlyOff = clear.filter(isNew).map((offer) => offer.g2aOfferId);
    const troubles = await inTransaction(this.dataSource, async (transaction) => {
      const stored = await storeObservedOffers(transaction, clear, seenAt);
      await this.deactivations.noteEarlier(transaction, newlyOff);
      return stored;
    });
    for (const trouble of troubles) await this.failing.report(trouble);
    return { mapped: [...known.keys()], seen: new Set(byProduct.keys()), unclear };
  }

  /** The listing of some accounts leaves the type out; the detail tells. Still unclear means not ours to touch. */
  private async typeOf(offer: MarketplaceOffer): Promise<string | null> {
    if (offer.type !== null) return offer.type;
    const type = (await this.g2a.offer(offer.g2aOfferId))?.type ?? null;
    if (type === null) {
      await this.alerts.raise(
        'offer_unreadable',
        offer.g2aOfferId,
        'G2A does not tell the type of this offer: left alone',
      );
    }
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
