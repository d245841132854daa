import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import type { OfferTrouble } from '../catalog/offer-changes.queries.js';

/** Failures in a row after which a person is told. */
const FAILURES_BEFORE_ALERT = 5;

/** Tells a person of offers that keep failing, and when they have recovered. */
@Injectable()
export class FailingOffersService {
  constructor(private readonly alerts: AlertsService) {}

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
}
