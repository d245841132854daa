import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type AlertKind, AlertsService } from '../alerts/alerts.service.js';
import type { OfferTrouble } from '../catalog/offer-changes.queries.js';
import { forgetOffer } from '../catalog/offers.queries.js';

/** Failures in a row after which a person is told. */
const FAILURES_BEFORE_ALERT = 5;

/** Alerts about one offer, which mean nothing once it is not ours. */
const OFFER_ALERTS: readonly AlertKind[] = ['offer_failing', 'offer_deactivated_by_g2a', 'offer_switched_off_at_g2a'];

/** Tells a person of offers that keep failing, and when they have recovered or are gone. */
@Injectable()
export class FailingOffersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  async report(trouble: OfferTrouble): Promise<void> {
    const { g2aOfferId, failureCount, isQuarantined, lastError, isRecovered } = trouble;
    if (isRecovered) {
      await this.alerts.clear('offer_failing', g2aOfferId);
    } else if (isQuarantined || failureCount >= FAILURES_BEFORE_ALERT) {
      const how = isQuarantined ? ', and is tried only once an hour now' : '';
      const message = `failed ${failureCount} times in a row${how}: ${lastError ?? ''}`;
      await this.alerts.raise('offer_failing', g2aOfferId, message);
    }
  }

  /** An offer was switched off for the price that it should have: somebody has to find out why G2A refuses that. */
  async tellOfStop(g2aOfferId: string): Promise<void> {
    const message = 'it was switched off: it would be sold at a loss, and its right price has failed repeatedly';
    await this.alerts.raise('offer_failing', g2aOfferId, message);
  }

  /** Lets go of an offer: gone at G2A, or switched off after its mapping was deleted. */
  async forget(g2aOfferId: string, reason: string): Promise<void> {
    // Alerts first: a crash in between is made up for when the offer is let go of again.
    for (const kind of OFFER_ALERTS) await this.alerts.clear(kind, g2aOfferId);
    await forgetOffer(this.dataSource.manager, g2aOfferId, reason);
  }
}
