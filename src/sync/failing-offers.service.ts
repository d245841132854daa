import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import type { OfferTrouble } from '../catalog/observed-offers.queries.js';

/** Failures in a row after which a person is told. */
const FAILURES_BEFORE_ALERT = 5;

/** Tells a person of offers that keep failing, and when they have recovered. */
@Injectable()
export class FailingOffersService {
  constructor(private readonly alerts: AlertsService) {}

  async report(trouble: OfferTrouble): Promise<void> {
    const { g2aOfferId, failureCount, lastError, isRecovered } = trouble;
    if (isRecovered) {
      await this.alerts.clear('offer_failing', g2aOfferId);
    } else if (failureCount >= FAILURES_BEFORE_ALERT) {
      await this.alerts.raise('offer_failing', g2aOfferId, `failed ${failureCount} times in a row: ${lastError ?? ''}`);
    }
  }
}
