import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BehaviorTable } from './behaviors.js';
import { catalogEntry, g2aExtraOfferId, g2aOfferId, g2aProductId, numberOfG2aProduct } from './catalog.js';
import { HttpFault } from './http-fault.js';
import { type TransportBehavior } from './traffic.js';

export const G2A_BEHAVIORS = ['jobFails', 'losesAnswerOfCreate', 'malformedDetail'] as const;
export type G2aBehavior = (typeof G2A_BEHAVIORS)[number];

/** An offer as the marketplace shows it now. */
export interface Offer {
  readonly id: string;
  readonly productId: number;
  readonly name: string;
  readonly type: string;
  active: boolean;
  size: number;
  sold: number;
  retailCents: number;
  businessCents: number;
  visibility: Visibility;
  /** Shown as `priceLimit` where it is set; decimal strings in EUR. */
  priceLimit?: PriceLimit;
  isGone: boolean;
  updatedAtMs: number;
}

export type Visibility = 'all' | 'retail' | 'business';

export interface PriceLimit {
  min?: string;
  max?: string;
}

/** What G2A keeps of the sales of one product. */
export interface ProductFee {
  /** In percent with at most two decimals; default: that of the settings. */
  feePercent?: number;
  /** Of sales to companies; default: `feePercent`. */
  businessFeePercent?: number;
  /** On top of it, in cents. */
  feeFixedCents?: number;
  /** Percent by country; then `income` has a key for each and none for `ALL`. */
  feePercentByCountry?: Record<string, number>;
  /** Answered word for word instead of the truth. */
  lie?: unknown;
}

/** `variant` of a PATCH and of a create; prices are decimal strings in EUR. */
export interface Variant {
  price?: { retail?: string; business?: string };
  inventory?: { size: number };
  active?: boolean;
  visibility?: Visibility;
}

export interface OfferPatch {
  offerType: string;
  variant: Variant;
}

/** What the seller (or G2A) does in the panel, outside our program. */
export interface PanelEdit {
  active?: boolean;
  size?: number;
  sold?: number;
  /** Decimal strings in EUR. */
  price?: string;
  businessPrice?: string;
  visibility?: Visibility;
  priceLimit?: PriceLimit;
  gone?: boolean;
}

/** One PATCH that was accepted, for checks and for measuring delays. */
export interface ReceivedPatch {
  receivedAtMs: number;
  /** When it takes effect. */
  appliesAtMs: number;
  offerId: string;
  body: OfferPatch;
  /** Null when the answer carried none (204). */
  jobId: string | null;
}

export interface MarketplaceSettings {
  /** From accepting a change to showing it. */
  applyDelayMs: number;
  /** Status that answers a PATCH; 200 and 202 carry a job id. */
  patchAnswer: 200 | 202 | 204;
  /** The word for a finished job. */
  finishedJobStatus: 'complete' | 'done';
  /** What G2A keeps of the price, in percent with at most two decimals. */
  feePercent: number;
  /** How far G2A's clock is ahead of ours (negative: behind). */
  clockOffsetMs: number;
}

export interface Job {
  jobId: string;
  status: string;
  elements: { resourceId: string; resourceType: 'offer'; status: string; code?: string; message?: string }[];
}

interface PendingChange {
  appliesAtMs: number;
  jobId: string;
  offerId: string;
  fails: boolean;
  apply: () => void;
}

/** Offers, their asynchronous changes, jobs and fees. Changes take effect in the order they came, when someone looks. */
export class G2aMarketplace {
  private readonly offers: Offer[] = [];
  private readonly byId = new Map<string, Offer>();
  private readonly jobs = new Map<string, Job>();
  private readonly received: ReceivedPatch[] = [];
  private readonly asked: number[] = [];
  private pending: PendingChange[] = [];
  private readonly fees = new Map<number, ProductFee>();

  constructor(
    private readonly options: { products: number; offers: number; extraOffers: number; extraOfferType: string },
    readonly settings: MarketplaceSettings,
    private readonly behaviors: BehaviorTable<G2aBehavior | TransportBehavior>,
  ) {
    const updatedAtMs = this.nowMs() - 86_400_000;
    for (let number = 1; number <= options.offers; number += 1) {
      this.add(newOffer(g2aOfferId(number), number, 'dropshipping', updatedAtMs));
    }
    for (let number = 1; number <= options.extraOffers; number += 1) {
      this.add({
        ...newOffer(g2aExtraOfferId(number), number, options.extraOfferType, updatedAtMs),
        active: true,
        size: 3,
      });
    }
  }

  /** By G2A's clock. */
  nowMs(): number {
    return Date.now() + this.settings.clockOffsetMs;
  }

  /** Every offer that is not gone, in the order of creation. */
  list(): Offer[] {
    this.applyDue();
    return this.offers.filter((offer) => !offer.isGone);
  }

  /**
   * `count` of the offers that are not gone and match, from the `start`th on in the order of creation, and how many there
   * are. One look at each offer: a listing of 100,000 has a thousand pages.
   */
  page(matches: (offer: Offer) => boolean, start: number, count: number): { offers: Offer[]; total: number } {
    this.applyDue();
    const offers: Offer[] = [];
    let total = 0;
    for (const offer of this.offers) {
      if (offer.isGone || !matches(offer)) continue;
      if (total >= start && offers.length < count) offers.push(offer);
      total += 1;
    }
    return { offers, total };
  }

  /** Lets every accepted change take effect now. */
  applyPending(): void {
    for (const change of this.pending) change.appliesAtMs = 0;
    this.applyDue();
  }

  /** 404 when unknown or gone. */
  offer(offerId: string): Offer {
    this.applyDue();
    const offer = this.byId.get(offerId);
    if (!offer || offer.isGone) throw new HttpFault(404, 404, `Offer ${offerId} not found.`);
    return offer;
  }

  /** Accepts a change, which takes effect `applyDelayMs` later. Returns the id of its job. */
  patch(offerId: string, body: OfferPatch): string {
    const offer = this.offer(offerId);
    if (body.offerType !== offer.type) throw new HttpFault(400, 400, `Offer ${offerId} is of type ${offer.type}.`);
    checkPrices(body.variant, offer.visibility);
    const jobId = this.schedule(offerId, () => {
      applyVariant(offer, body.variant, this.nowMs());
    });
    const receivedAtMs = Date.now();
    const appliesAtMs = receivedAtMs + this.settings.applyDelayMs;
    const hasJob = this.settings.patchAnswer !== 204;
    this.received.push({ receivedAtMs, appliesAtMs, offerId, body, jobId: hasJob ? jobId : null });
    return jobId;
  }

  /** Creates a dropshipping offer; `existingOfferId` when the product has one already. 404 for an unknown product. */
  create(productId: number, variant: Variant): { jobId: string } | { existingOfferId: string } {
    const number = this.numberOf(productId);
    const offerId = g2aOfferId(number);
    checkPrices(variant, 'all');
    const existing = this.byId.get(offerId);
    if (existing && !existing.isGone) return { existingOfferId: offerId };
    const offer = existing ?? { ...newOffer(offerId, number, 'dropshipping', this.nowMs()), isGone: true };
    if (!existing) this.add(offer);
    this.asked.push(productId);
    const jobId = this.schedule(offerId, () => {
      offer.isGone = false;
      applyVariant(offer, variant, this.nowMs());
    });
    return { jobId };
  }

  /** Products of the creations that were accepted, in their order. */
  creations(): readonly number[] {
    return this.asked;
  }

  /** 404 when unknown. Without elements while it runs. */
  job(jobId: string): Job {
    this.applyDue();
    const job = this.jobs.get(jobId);
    if (!job) throw new HttpFault(404, 404, `Job ${jobId} not found.`);
    return job;
  }

  /** Changes an offer at once, as in the seller's panel. Also brings a gone one back. */
  edit(offerId: string, edit: PanelEdit): Offer {
    this.applyDue();
    const offer = this.byId.get(offerId);
    if (!offer) throw new HttpFault(404, 404, `Offer ${offerId} not found.`);
    const variant = {
      active: edit.active,
      visibility: edit.visibility,
      inventory: edit.size === undefined ? undefined : { size: edit.size },
      price: { retail: edit.price, business: edit.businessPrice },
    };
    applyVariant(offer, variant, this.nowMs());
    offer.sold = edit.sold ?? offer.sold;
    offer.priceLimit = edit.priceLimit ?? offer.priceLimit;
    offer.isGone = edit.gone ?? offer.isGone;
    return offer;
  }

  /** Accepted PATCHes, oldest first: of one offer or of all. */
  patches(offerId?: string): ReceivedPatch[] {
    return this.received.filter((patch) => offerId === undefined || patch.offerId === offerId);
  }

  /** Resolves with the offer as soon as it looks as wanted; rejects after `timeoutMs`, saying how it looks. */
  async waitForOffer(offerId: string, isWanted: (offer: Offer) => boolean, timeoutMs: number): Promise<Offer> {
    const giveUpAtMs = Date.now() + timeoutMs;
    for (;;) {
      const offer = this.offer(offerId);
      if (isWanted(offer)) return { ...offer };
      if (Date.now() >= giveUpAtMs) throw new Error(`After ${timeoutMs} ms the offer is ${JSON.stringify(offer)}.`);
      await sleep(10);
    }
  }

  /** Sets what G2A keeps of the sales of a product from now on. 404 for an unknown product. */
  setFee(productId: number, fee: ProductFee): void {
    this.numberOf(productId);
    this.fees.set(productId, fee);
  }

  /** The fee of a product, by default that of the settings. 404 for an unknown product. */
  feeOf(productId: number): ProductFee {
    this.numberOf(productId);
    return this.fees.get(productId) ?? {};
  }

  /** What the seller earns of a price, rounded down to the cent. */
  incomeCents(priceCents: number, fee: ProductFee, feePercent = fee.feePercent): number {
    const keptOfTenThousand = 10_000 - Math.round((feePercent ?? this.settings.feePercent) * 100);
    return Math.floor((priceCents * keptOfTenThousand) / 10_000) - (fee.feeFixedCents ?? 0);
  }

  /** Number of the game in the catalogue; 404 when there is none. */
  numberOf(productId: number): number {
    const number = numberOfG2aProduct(productId);
    if (!Number.isInteger(number) || number < 1 || number > this.options.products) {
      throw new HttpFault(404, 404, `Product ${productId} not found.`);
    }
    return number;
  }

  private add(offer: Offer): void {
    this.offers.push(offer);
    this.byId.set(offer.id, offer);
  }

  private schedule(offerId: string, apply: () => void): string {
    const jobId = randomUUID();
    const fails = this.behaviors.take('jobFails', { subjects: [offerId] }) !== undefined;
    this.pending.push({ appliesAtMs: Date.now() + this.settings.applyDelayMs, jobId, offerId, fails, apply });
    this.jobs.set(jobId, { jobId, status: 'pending', elements: [] });
    return jobId;
  }

  private applyDue(): void {
    const nowMs = Date.now();
    const due = this.pending.findIndex((change) => change.appliesAtMs > nowMs);
    const ripe = this.pending.splice(0, due === -1 ? this.pending.length : due);
    for (const { jobId, offerId, fails, apply } of ripe) {
      if (!fails) apply();
      const outcome = fails
        ? { status: 'failed', code: 'BR02', message: 'The change was refused.' }
        : { status: 'completed' };
      const element = { resourceId: offerId, resourceType: 'offer' as const, ...outcome };
      this.jobs.set(jobId, { jobId, status: this.settings.finishedJobStatus, elements: [element] });
    }
  }
}

/** A price in EUR as `5.98`, `6.5` or `7`; 400 otherwise or when it is zero. */
export function readPrice(text: string): number {
  const match = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(text);
  const cents = match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : 0;
  if (cents < 1) throw new HttpFault(400, 400, `"${text}" is not a price.`);
  return cents;
}

function checkPrices(variant: Variant, currentVisibility: Visibility): void {
  const visibility = variant.visibility ?? currentVisibility;
  const { retail, business } = variant.price ?? {};
  if (retail !== undefined) readPrice(retail);
  if (business !== undefined) readPrice(business);
  if ((visibility === 'retail' && business !== undefined) || (visibility === 'business' && retail !== undefined)) {
    throw new HttpFault(400, 400, `With visibility ${visibility} only that price is sent.`);
  }
}

/** Fields left out stay: above all, a size above zero does not make an inactive offer active. */
function applyVariant(offer: Offer, variant: Variant, nowMs: number): void {
  const { retail, business } = variant.price ?? {};
  if (retail !== undefined) offer.retailCents = readPrice(retail);
  if (business !== undefined) offer.businessCents = readPrice(business);
  offer.size = variant.inventory?.size ?? offer.size;
  offer.active = variant.active ?? offer.active;
  offer.visibility = variant.visibility ?? offer.visibility;
  offer.updatedAtMs = nowMs;
}

function newOffer(id: string, number: number, type: string, updatedAtMs: number): Offer {
  return {
    id,
    productId: g2aProductId(number),
    name: catalogEntry(number).name,
    type,
    active: false,
    size: 0,
    sold: 0,
    retailCents: 9_999,
    businessCents: 9_999,
    visibility: 'all',
    isGone: false,
    updatedAtMs,
  };
}

/** Offers of other sellers for a product: always the same three, around the given price. */
export function competitorOffers(number: number): { id: string; cents: number; seller: string; range: string }[] {
  const cents = catalogEntry(number).bands.find((band) => band.from === 1)?.cents ?? 100;
  return [112, 118, 131].map((percent, index) => ({
    id: `00000000-0000-4000-b00${index}-${String(number).padStart(12, '0')}`,
    cents: Math.ceil((cents * percent) / 100),
    seller: `seller-${index + 1}`,
    range: index === 0 ? '1-10' : '10+',
  }));
}
