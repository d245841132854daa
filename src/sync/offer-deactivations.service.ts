import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { clearDeactivation, clearReactivated, markDeactivated } from '../catalog/offer-deactivations.queries.js';
import type { ObservedNews, ObservedOffer } from '../catalog/observed-offers.queries.js';
import { lockOffersInBulk } from '../catalog/repricings.queries.js';
import { recentDeactivations } from './notifications.queries.js';

/** Offers that somebody else has switched off are not published; when that ends they are again, from the next round on. */
@Injectable()
export class OfferDeactivationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * G2A has switched an offer off: it stays off until somebody clears that. An offer that is not followed is not touched; a
   * seller may have others.
   */
  async note(manager: EntityManager, g2aOfferId: string, message: string): Promise<void> {
    const g2aProductId = await markDeactivated(manager, g2aOfferId, message);
    if (g2aProductId === null) return;
    await writeAudit(manager, 'g2a', [
      { action: 'offer.deactivated_by_g2a', subjectId: g2aOfferId, details: { g2aProductId, message } },
    ]);
    await this.alerts.raise(
      'offer_deactivated_by_g2a',
      g2aOfferId,
      withReason(`G2A deactivated the offer of product ${g2aProductId}, and it stays off`, message),
      manager,
    );
  }

  /**
   * Notes what G2A said lately about offers that were not followed then. To be called in the transaction in which they become
   * ours.
   * @param g2aOfferIds offers that are new to us, and shown off.
   */
  async noteEarlier(manager: EntityManager, g2aOfferIds: readonly string[]): Promise<void> {
    for (const { offerId, message } of await recentDeactivations(manager, g2aOfferIds)) {
      await this.note(manager, offerId, message);
    }
  }

  /**
   * A person has looked into it.
   * @returns whether it was deactivated; null when no offer of this product is known.
   */
  async clear(actor: AuditActor, g2aProductId: number): Promise<boolean | null> {
    const offer = await inTransaction(this.dataSource, async (manager) => {
      const cleared = await clearDeactivation(manager, g2aProductId);
      if (cleared?.wasDeactivated === true) {
        await writeAudit(manager, actor, [
          { action: 'offer.deactivation_cleared', subjectId: cleared.g2aOfferId, details: { g2aProductId } },
        ]);
      }
      return cleared;
    });
    if (offer === null) return null;
    await this.clearAlerts([offer.g2aOfferId]);
    return offer.wasDeactivated;
  }

  /**
   * G2A's listing shows offers on again that it showed off after their deactivation. To be called before the listing is stored:
   * what was observed last is part of the evidence. An offer that has not been seen off yet may only be shown late.
   */
  async clearReactivated(listed: readonly ObservedOffer[]): Promise<void> {
    const active = listed.filter((offer) => offer.isActive).map((offer) => offer.g2aOfferId);
    if (active.length === 0) return;
    const cleared = await inTransaction(this.dataSource, async (manager) => {
      await lockOffersInBulk(manager);
      const offers = await clearReactivated(manager, active);
      await writeAudit(
        manager,
        'sync',
        offers.map(({ g2aOfferId: subjectId, g2aProductId }) => ({
          action: 'offer.deactivation_cleared',
          subjectId,
          details: { g2aProductId },
        })),
      );
      return offers;
    });
    if (cleared.length === 0) return;
    await this.clearAlerts(cleared.map((offer) => offer.g2aOfferId));
  }

  /** G2A shows offers off that we have on sale: whoever it was meant it, and a person is told. */
  async tellOfSwitchedOff(offers: ObservedNews['switchedOff']): Promise<void> {
    for (const { g2aOfferId, g2aProductId } of offers) {
      await this.alerts.raise(
        'offer_switched_off_at_g2a',
        g2aOfferId,
        `the offer of product ${g2aProductId} was switched off at G2A, not by us, and it stays off until that is cleared`,
      );
    }
  }

  private async clearAlerts(g2aOfferIds: readonly string[]): Promise<void> {
    await this.alerts.clear('offer_deactivated_by_g2a', ...g2aOfferIds);
    await this.alerts.clear('offer_switched_off_at_g2a', ...g2aOfferIds);
  }
}

/** G2A may give no reason. */
export function withReason(news: string, reason: string): string {
  return reason === '' ? news : `${news}: ${reason}`;
}
