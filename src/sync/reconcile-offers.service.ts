import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { forgetOffer, productsWithoutOffer, unconfirmedOffers } from '../catalog/offers.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { ConfirmStopsService } from './confirm-stops.service.js';
import { fullListingIntervalMs, isConfirmationDue } from './confirmation.rules.js';
import { CreateOffersService } from './create-offers.service.js';
import { type ListingResult, ReadListingService } from './read-listing.service.js';

/** Nobody says what clock `updatedAtFrom` is measured by: ask for a little more. */
const CONFIRMATION_OVERLAP_MS = 60_000;
/** Of offers that the whole listing lacks, so many are asked for by id. */
const MAX_LOST_OFFERS_ASKED = 10;

/** Learns what G2A shows, and whether what was sent has arrived. */
@Injectable()
export class ReconcileOffersService {
  private fullListing: { readonly at: Date; readonly pages: number } | null = null;
  private confirmation: { readonly at: Date; readonly pages: number } | null = null;
  /** Products of which the whole listing, when it was read last, showed no offer. */
  private notFound: ReadonlySet<number> = new Set();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
    private readonly listing: ReadListingService,
    private readonly stops: ConfirmStopsService,
    private readonly creations: CreateOffersService,
  ) {}

  /**
   * Asks about stops that are under way. Then reads the whole listing when that is due or a product has no known offer that the
   * last one did not lack; otherwise, while changes are unconfirmed, what changed since the oldest of them.
   * @returns whether G2A was asked.
   */
  async readIfDue(): Promise<boolean> {
    const { manager } = this.dataSource;
    let isAsked = await this.stops.confirmDue();
    const now = await databaseNow(manager);
    const without = await productsWithoutOffer(manager);
    const isDue =
      this.fullListing === null ||
      now.getTime() - this.fullListing.at.getTime() >= fullListingIntervalMs(this.fullListing.pages);
    if (isDue || without.some((product) => !this.notFound.has(product))) {
      await this.readAll();
      isAsked = true;
    } else if (await this.confirm(now)) {
      isAsked = true;
    }
    if (this.fullListing !== null) await this.creations.proceed(this.notFound, this.fullListing.at);
    return isAsked;
  }

  /** Reads the whole listing: finds offers of newly mapped products, drift, and mappings without an offer. */
  async readAll(): Promise<void> {
    const { manager } = this.dataSource;
    const at = await databaseNow(manager);
    const result = await this.listing.read({}, { priority: 'background' });
    await this.alerts.clearAllBut('offer_ambiguous', result.unclear);
    await this.alerts.clearAllBut('offer_unreadable', result.unclear);
    const missing = [...result.known.keys()].filter((product) => !result.seen.has(product));
    await this.lookForLost(result, missing);
    const without = new Set(await productsWithoutOffer(manager));
    this.notFound = new Set(missing.filter((product) => without.has(product)));
    this.fullListing = this.confirmation = { at, pages: result.pages };
    await this.tellOfMissing(missing);
  }

  private async confirm(now: Date): Promise<boolean> {
    const last = this.confirmation ?? { at: new Date(0), pages: 0 };
    const { oldest, ...unconfirmed } = await unconfirmedOffers(this.dataSource.manager, last.at);
    if (oldest === null || !isConfirmationDue(unconfirmed, now.getTime() - last.at.getTime(), last.pages)) return false;
    const { pages } = await this.listing.read({
      updatedAtFrom: new Date(oldest.getTime() - CONFIRMATION_OVERLAP_MS),
    });
    this.confirmation = { at: now, pages };
    return true;
  }

  /** An offer that we follow and the listing lacks is gone only if G2A says so when asked for it. */
  private async lookForLost({ known, unclear }: ListingResult, missing: readonly number[]): Promise<void> {
    const lost = missing.flatMap((product) => {
      const g2aOfferId = known.get(product) ?? null;
      return g2aOfferId === null || unclear.includes(g2aOfferId) ? [] : [{ product, g2aOfferId }];
    });
    for (const { product, g2aOfferId } of lost.slice(0, MAX_LOST_OFFERS_ASKED)) {
      try {
        const outcome = await this.listing.readOne(g2aOfferId, product);
        if (outcome === 'gone') await forgetOffer(this.dataSource.manager, g2aOfferId, 'gone at G2A');
      } catch (error) {
        // An answer that is not understood is none; anything else concerns all of them.
        if (!(error instanceof UpstreamError) || error.kind !== 'unknown') throw error;
      }
    }
  }

  private async tellOfMissing(missing: readonly number[]): Promise<void> {
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
}
