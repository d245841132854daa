import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { giveUpUnshownChange, unconfirmedOffers, unshownOffers } from '../catalog/observed-offers.queries.js';
import { productsWithoutOffer } from '../catalog/offers.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import {
  FAILED_LISTING_GAP_MS,
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
  /** When (`performance.now()`) the whole listing broke off after some of its pages. */
  private brokenOffAtMs = -Infinity;
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
    const isWanted = isDueByTime || (hasNew && this.mayReadForNew(now));
    if (isWanted) this.fullListingDueAt ??= now;
    const isDue = isWanted && performance.now() - this.brokenOffAtMs >= FAILED_LISTING_GAP_MS;
    if (isDue) {
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
    const result = await this.readWhole();
    // Somebody else leads by now.
    if (result === null) return;
    await this.alerts.clearAllBut('offer_ambiguous', result.unclear);
    await this.alerts.clearAllBut('offer_unreadable', result.unclear);
    const missing = [...result.known.keys()].filter((product) => !result.seen.has(product));
    await this.lookForLost(result);
    const without = (await productsWithoutOffer(manager)).filter((product) => result.known.has(product));
    // Whose offer was let go of although another one is there: the next listing, which is due at once, tells whether that is ours.
    this.notFollowed = new Set(without.filter((product) => !isReplaced(result, product)));
    // Beside an offer that may be one nothing is created.
    const { seen, withUnclearOffer } = result;
    this.notFound = new Set(without.filter((product) => !seen.has(product) && !withUnclearOffer.has(product)));
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

  // It starts again from its first page: one that breaks off each time would take its share of the limit for good.
  private async readWhole(): Promise<ListingResult | null> {
    const pageGapMs = listingPageGapMs(this.config.g2aRate);
    let pages = 0;
    try {
      return await this.listing.read(null, { priority: 'upkeep', pageGapMs }, () => {
        pages += 1;
      });
    } catch (error) {
      if (pages > 0) this.brokenOffAtMs = performance.now();
      throw error;
    }
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

  /**
   * An offer that we follow and the listing lacks is gone only if G2A says so when asked for it; also where it shows another one of the
   * product, which its owner may have put in its place.
   */
  private async lookForLost({ known, seen, unclear }: ListingResult): Promise<void> {
    const untold = new Set(unclear);
    let asked = 0;
    for (const [g2aProductId, g2aOfferId] of known) {
      if (g2aOfferId === null || untold.has(g2aOfferId) || seen.shows({ g2aProductId, g2aOfferId })) continue;
      if (asked === MAX_LOST_OFFERS_ASKED) return;
      asked += 1;
      await this.listing.lookAt({ g2aProductId, g2aOfferId });
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

function isReplaced({ known, seen }: ListingResult, product: number): boolean {
  return (known.get(product) ?? null) !== null && seen.has(product);
}

function msBetween(earlier: Date, later: Date): number {
  return later.getTime() - earlier.getTime();
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
