import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import type { CurrentRate } from '../catalog/exchange-rates.queries.js';
import { type DesiredState, type OfferToPrice, offersToPrice, writeDesiredStates } from '../catalog/offers.queries.js';
import { AppConfig } from '../config/app-config.js';
import type { PauseReason } from '../control/control.service.js';
import { desiredStateInput } from './desired-state-input.js';
import { type DesiredStateInput, isSameDesiredState, saneDesiredState } from './desired-state.rules.js';

/** What a refresh went through. */
export interface PricedOffers {
  /** As they were before, without those whose numbers are absurd. */
  readonly offers: readonly OfferToPrice[];
  readonly input: DesiredStateInput;
}

/** Turns mappings and supplier snapshots into what every offer should show. */
@Injectable()
export class DesiredStateService {
  private readonly logger = new Logger(DesiredStateService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Computes every offer anew and writes those that differ. Nothing is remembered between calls, so a mapping edited by SQL,
   * an expired reservation or a stale snapshot needs no event to take effect.
   * @returns what it went through.
   */
  async refresh(pauseReason: PauseReason): Promise<PricedOffers> {
    const { manager } = this.dataSource;
    const { input, rate } = await desiredStateInput(manager, this.config, pauseReason);
    await this.tellOfRate(rate);
    const changed: { g2aOfferId: string; desired: DesiredState }[] = [];
    const offers: OfferToPrice[] = [];
    for (const offer of await offersToPrice(manager, { withSimulations: input.priceSimulation !== 'off' })) {
      const desired = this.decide(offer, input);
      if (desired.reason !== 'cannot_be_priced') offers.push(offer);
      if (!isSameDesiredState(desired, offer.desired)) changed.push({ g2aOfferId: offer.g2aOfferId, desired });
    }
    await writeDesiredStates(manager, changed);
    return { offers, input };
  }

  /** Without a rate nothing is sold: a person must know why. */
  private async tellOfRate({ usable, asOf }: CurrentRate): Promise<void> {
    if (usable !== null) {
      await this.alerts.clear('exchange_rate_missing');
      return;
    }
    const { cwsTargetCurrency: currency, exchangeRateMaxAgeHours } = this.config;
    const cause =
      asOf === null
        ? `no rate of ${currency} is known`
        : `the last rate of ${currency}, as of ${asOf.toISOString()}, is older than ${exchangeRateMaxAgeHours} h`;
    await this.alerts.raise('exchange_rate_missing', '', `nothing is sold: ${cause}; enter one with "rates set"`);
  }

  private decide(offer: OfferToPrice, input: DesiredStateInput): DesiredState {
    const { desired, problem } = saneDesiredState(offer, input);
    if (problem !== null) this.logger.error(`G2A product ${offer.g2aProductId} cannot be priced: ${problem}`);
    return desired;
  }
}
