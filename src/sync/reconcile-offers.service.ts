import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { giveUpUnshownChanges } from '../catalog/observed-offers.queries.js';
import { productsWithoutOffer, unconfirmedOffers } from '../catalog/offers.queries.js';
import { lockOffersInBulk } from '../catalog/repricings.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { inTransaction } from '../database/one-connection.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import {
  fullListingIntervalMs,
  isConfirmationDue,
  listingPageGapMs,
  newMappingIntervalMs,
} from './confirmation.rules.js';
import { CreateOffersService } from './create-offers.service.js';
import { FailingOffersService } from './failing-offers.service.js';
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
  /** When it was last read for a product that had been mapped since. */
  private readForNewAt: Date | null = null;
  /** Products without an offer after the whole listing was read last: it shows none, or several. */
  private notFollowed: ReadonlySet<number> = new Set();
  /** Products of which the whole listing, when it was read last, showed no offer. */
  private notFound: ReadonlySet<number> = new Set();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
    private readonly listing: ReadListingService,
    private readonly config: AppConfig,
    private readonly failing: FailingOffersService,
    private readonly creations: CreateOffersService,
  ) {}

  /**
   * Reads the whole listing when that is due or a product without a known offer was mapped since; otherwise, while changes are
   * unconfirmed, what changed since the oldest of them.
   * @returns whether G2A was asked.
   */
  async readIfDue(): Promise<boolean> {
    const { manager } = this.dataSource;
    let isAsked = false;
    const now = await databaseNow(manager);
    const without = await productsWithoutOffer(manager);
    const hasNew = without.some((product) => !this.notFollowed.has(product));
    if (this.isWholeDue(now, hasNew)) {
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
    const pageGapMs = listingPageGapMs(this.config.g2aRate);
    const result = await this.listing.read({}, { priority: 'background', pageGapMs });
    await this.giveUpUnshown(at);
    await this.alerts.clearAllBut('offer_ambiguous', result.unclear);
    await this.alerts.clearAllBut('offer_unreadable', result.unclear);
    const missing = [...result.known.keys()].filter((product) => !result.seen.has(product));
    await this.lookForLost(result, missing);
    const without = (await productsWithoutOffer(manager)).filter((product) => result.known.has(product));
    this.notFollowed = new Set(without);
    this.notFound = new Set(without.filter((product) => !result.seen.has(product)));
    this.fullListing = this.confirmation = { at, pages: result.pages };
    await this.alerts.clearAllBut('offer_not_created', [...this.notFound].map(String));
    await this.tellOfMissing(missing);
  }

  private isWholeDue(now: Date, hasNew: boolean): boolean {
    if (this.fullListing === null) return true;
    const { at, pages } = this.fullListing;
    const ageMs = now.getTime() - at.getTime();
    if (ageMs >= fullListingIntervalMs(pages)) return true;
    if (!hasNew || now.getTime() - (this.readForNewAt?.getTime() ?? 0) < newMappingIntervalMs(pages)) return false;
    this.readForNewAt = now;
    return true;
  }

  private async confirm(now: Date): Promise<boolean> {
    const last = this.confirmation ?? { at: new Date(0), pages: 0 };
    const { oldest, ...unconfirmed } = await unconfirmedOffers(this.dataSource.manager, last.at);
    if (oldest === null || !isConfirmationDue(unconfirmed, now.getTime() - last.at.getTime(), last.pages)) return false;
    const { pages } = await this.listing.read({
      updatedAtFrom: new Date(oldest.getTime() - CONFIRMATION_OVERLAP_MS),
    });
    await this.giveUpUnshown(now);
    this.confirmation = { at: now, pages };
    return true;
  }

  /** What G2A shows of every change that was sent before this time has been read. */
  private async giveUpUnshown(readFrom: Date): Promise<void> {
    const troubles = await inTransaction(this.dataSource, async (manager) => {
      await lockOffersInBulk(manager);
      return giveUpUnshownChanges(manager, readFrom);
    });
    for (const trouble of troubles) await this.failing.report(trouble);
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
        if (outcome === 'gone') await this.failing.forget(g2aOfferId, 'gone at G2A');
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
