import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { clearDeactivation, clearReactivated } from '../catalog/offer-deactivations.queries.js';
import type { ObservedOffer } from '../catalog/observed-offers.queries.js';

/** Ends G2A's deactivation of an offer: from the next round on it is published like any other. */
@Injectable()
export class OfferDeactivationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

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
    await this.alerts.clear('offer_deactivated_by_g2a', offer.g2aOfferId);
    return offer.wasDeactivated;
  }

  /**
   * G2A's listing shows offers on again that it showed off after their deactivation. To be called before the listing is stored:
   * what was observed last is part of the evidence. An offer that has not been seen off yet may only be shown late.
   */
  async clearReactivated(listed: readonly ObservedOffer[]): Promise<void> {
    const active = listed.filter((offer) => offer.isActive).map((offer) => offer.g2aOfferId);
    const cleared = await inTransaction(this.dataSource, async (manager) => {
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
    await this.alerts.clear('offer_deactivated_by_g2a', ...cleared.map((offer) => offer.g2aOfferId));
  }
}
