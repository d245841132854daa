import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { G2aClient } from '../g2a/g2a-client.js';
import type { MarketplaceOffer } from '../g2a/g2a.types.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { isAboutTheQuestion } from './upstream-trouble.rules.js';

/** The type of the offers that may be ours. */
export const DROPSHIPPING = 'dropshipping';

/** So long nobody is asked again for the type of an offer of which G2A did not tell it. */
const ASK_AGAIN_MS = 60 * 60_000;

interface AskedType {
  readonly type: string | null;
  readonly askedAtMs: number;
  isStillListed: boolean;
}

/** Which offers of mapped products may be ours to touch, where the listing leaves their type out. */
@Injectable()
export class OfferTypesService {
  /** Of offers that we do not follow: a type never changes. */
  private readonly asked = new Map<string, AskedType>();

  constructor(
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * The listing of some accounts leaves the type out; the detail tells. Still unclear means not ours to touch, and people are told.
   * @param ours the offer of its product that we follow: of that one the type is known.
   * @returns null when it is unclear.
   * @throws UpstreamError when G2A cannot be asked.
   */
  async typeOf(offer: MarketplaceOffer, ours: string | null, limits: CallLimits): Promise<string | null> {
    const { g2aOfferId } = offer;
    if (offer.type !== null) return offer.type;
    if (g2aOfferId === ours) return DROPSHIPPING;
    const type = await this.askedType(g2aOfferId, limits);
    if (type === null) {
      await this.alerts.raise('offer_unreadable', g2aOfferId, 'G2A does not tell the type of this offer: left alone');
    }
    return type;
  }

  /** These are followed from now on. */
  forget(g2aOfferIds: readonly string[]): void {
    for (const id of g2aOfferIds) this.asked.delete(id);
  }

  /** The whole listing was read: what it does not show any more, or shows with its type, or as one that is followed, needs no place here. */
  forgetUnlisted(): void {
    for (const [id, asked] of this.asked) {
      if (asked.isStillListed) asked.isStillListed = false;
      else this.asked.delete(id);
    }
  }

  private async askedType(g2aOfferId: string, limits: CallLimits): Promise<string | null> {
    const known = this.asked.get(g2aOfferId);
    const nowMs = performance.now();
    if (known !== undefined && (known.type !== null || nowMs - known.askedAtMs < ASK_AGAIN_MS)) {
      known.isStillListed = true;
      return known.type;
    }
    const type = await this.askFor(g2aOfferId, limits);
    this.asked.set(g2aOfferId, { type, askedAtMs: nowMs, isStillListed: true });
    return type;
  }

  private async askFor(g2aOfferId: string, limits: CallLimits): Promise<string | null> {
    try {
      return (await this.g2a.offer(g2aOfferId, limits))?.type ?? null;
    } catch (error) {
      // One offer that nobody can read must not keep all others of the listing from being followed.
      if (isAboutTheQuestion(error)) return null;
      throw error;
    }
  }
}
