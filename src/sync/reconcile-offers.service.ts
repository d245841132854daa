import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { giveUpUnshownChange, unconfirmedOffers, unshownOffers } from '../catalog/observed-offers.queries.js';
import { productsWithoutOffer } from '../catalog/offers.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import {
  fullListingIntervalMs,
  isConfirmationDue,
  listingPageGapMs,
  newMappingIntervalMs,
} from './confirmation.rules.js';
import { CreateOffersService } from './create-offers.service.js';
import { FailingOffersService } from './failing-offers.service.js';
import { type ListingResult, ReadListingService } from './read-listing.service.js';

/** A change may be shown so long after the time that it bears. */
const CONFIRMATION_OVERLAP_MS = 30_000;
/** Of offers that the whole listing lacks, so many are asked for by id. */
const MAX_LOST_OFFERS_ASKED = 10;
/** The same of changes that were not shown, in each turn of some seconds. */
const MAX_UNSHOWN_OFFERS_ASKED = 10;
/** People are told when changes have not been confirmed for so long. */
const CONFIRMATION_LATE_MS = 5 * 60_000;

/** Learns what G2A shows, and whether what was sent has arrived. */
@Injectable()
export class ReconcileOffersService {
  private fullListing: { readonly at: Date; readonly pages: number } | null = null;
  /** Since when the whole listing has been due. */
  private fullListingDueAt: Date | null = null;
  /** When a listing, or what of it had changed, was last read to its end; at first: when it was looked at whether that is due. */
  private lastRead: { readonly at: Date; readonly changedPages: number } | null = null;
  /** When the whole listing was read to its end out of turn, for a product that had been mapped since. */
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
   * Reads the whole listing when that is due, or a product without a known offer was mapped since.
   * @returns whether G2A was asked.
   */
  async readIfDue(): Promise<boolean> {
    const { manager } = this.dataSource;
    const now = await databaseNow(manager);
    const without = await productsWithoutOffer(manager);
    const hasNew = without.some((product) => !this.notFollowed.has(product));
    const isDueByTime = this.isDueByTime(now);
    const isDue = isDueByTime || (hasNew && this.mayReadForNew(now));
    if (isDue) {
      this.fullListingDueAt ??= now;
      await this.readAll();
      if (!isDueByTime) this.readForNewAt = now;
    }
    if (this.fullListing !== null) await this.creations.proceed(this.notFound, this.fullListing.at);
    return isDue;
  }

  /** Reads the whole listing: finds offers of newly mapped products, drift, and mappings without an offer. */
  async readAll(): Promise<void> {
    const { manager } = this.dataSource;
    const at = await databaseNow(manager);
    const pageGapMs = listingPageGapMs(this.config.g2aRate);
    const result = await this.listing.read(null, { priority: 'upkeep', pageGapMs });
    // Somebody else leads by now.
    if (result === null) return;
    await this.alerts.clearAllBut('offer_ambiguous', result.unclear);
    await this.alerts.clearAllBut('offer_unreadable', result.unclear);
    const missing = [...result.known.keys()].filter((product) => !result.seen.has(product));
    await this.lookForLost(result, missing);
    const without = (await productsWithoutOffer(manager)).filter((product) => result.known.has(product));
    this.notFollowed = new Set(without);
    this.notFound = new Set(without.filter((product) => !result.seen.has(product)));
    this.fullListing = { at, pages: result.pages };
    this.fullListingDueAt = null;
    this.noteRead(at, this.lastRead?.changedPages ?? 0);
    await this.alerts.clear('listing_late', 'whole');
    await this.alerts.clearAllBut('offer_not_created', [...this.notFound].map(String));
    await this.tellOfMissing(missing);
  }

  /**
   * While changes are unconfirmed, reads when it is due what has changed since the last time; and asks for some of the offers whose
   * change it has not shown in time.
   * @returns whether G2A was asked.
   */
  async confirmIfDue(): Promise<boolean> {
    const { manager } = this.dataSource;
    const now = await databaseNow(manager);
    this.lastRead ??= { at: now, changedPages: 0 };
    await this.tellIfLate(now, this.lastRead.at);
    const isRead = await this.readChanged(now, this.lastRead);
    const unshown = await unshownOffers(manager, this.lastRead.at, MAX_UNSHOWN_OFFERS_ASKED);
    for (const offer of unshown) {
      if (await this.listing.lookAt(offer)) continue;
      const trouble = await giveUpUnshownChange(manager, offer.g2aOfferId, this.lastRead.at);
      if (trouble !== null) await this.failing.report(trouble);
    }
    return isRead || unshown.length > 0;
  }

  private isDueByTime(now: Date): boolean {
    if (this.fullListing === null) return true;
    return msBetween(this.fullListing.at, now) >= fullListingIntervalMs(this.fullListing.pages);
  }

  private mayReadForNew(now: Date): boolean {
    return msBetween(this.readForNewAt ?? new Date(0), now) >= newMappingIntervalMs(this.fullListing?.pages ?? 0);
  }

  // Also what changed before the oldest unconfirmed change: somebody may have edited another offer since the last time.
  private async readChanged(
    now: Date,
    { at, changedPages }: NonNullable<ReconcileOffersService['lastRead']>,
  ): Promise<boolean> {
    const { oldest, hasStops, ...unconfirmed } = await unconfirmedOffers(this.dataSource.manager, at);
    if (!isConfirmationDue(unconfirmed, msBetween(at, now), changedPages)) return false;
    const since = Math.min(at.getTime(), oldest?.getTime() ?? Infinity) - CONFIRMATION_OVERLAP_MS;
    // Very many stops leave no room below them, and their jobs find none: then only this tells whether they have happened.
    const result = await this.listing.read(new Date(since), { priority: hasStops ? 'urgent' : 'upkeep' });
    if (result === null) return true;
    this.noteRead(now, result.pages);
    await this.alerts.clear('listing_late', 'changes');
    return true;
  }

  private noteRead(at: Date, changedPages: number): void {
    if (this.lastRead === null || this.lastRead.at <= at) this.lastRead = { at, changedPages };
  }

  /** Drift and lost changes go unnoticed while nothing is read. */
  private async tellIfLate(now: Date, lastReadAt: Date): Promise<void> {
    const dueForMs = this.fullListingDueAt === null ? 0 : msBetween(this.fullListingDueAt, now);
    if (dueForMs >= fullListingIntervalMs(this.fullListing?.pages ?? 0)) {
      const message = `G2A's listing of all offers has been due for ${seconds(dueForMs)} s and was not read to its end`;
      await this.alerts.raise('listing_late', 'whole', message);
    }
    if (msBetween(lastReadAt, now) < CONFIRMATION_LATE_MS) return;
    const waiting = await unshownOffers(this.dataSource.manager, now, 1);
    if (waiting.length === 0) return;
    const message = `what has changed on G2A was last read to its end ${seconds(msBetween(lastReadAt, now))} s ago`;
    await this.alerts.raise('listing_late', 'changes', message);
  }

  /** An offer that we follow and the listing lacks is gone only if G2A says so when asked for it. */
  private async lookForLost({ known, unclear }: ListingResult, missing: readonly number[]): Promise<void> {
    const lost = missing.flatMap((g2aProductId) => {
      const g2aOfferId = known.get(g2aProductId) ?? null;
      return g2aOfferId === null || unclear.includes(g2aOfferId) ? [] : [{ g2aProductId, g2aOfferId }];
    });
    for (const offer of lost.slice(0, MAX_LOST_OFFERS_ASKED)) await this.listing.lookAt(offer);
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

function msBetween(earlier: Date, later: Date): number {
  return later.getTime() - earlier.getTime();
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
