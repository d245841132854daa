import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { defaultTerms } from '../catalog/mapping-terms.js';
import { type DesiredState, type OfferToPrice, offersToPrice, writeDesiredStates } from '../catalog/offers.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import type { PauseReason } from '../control/control.service.js';
import { desiredState, type DesiredStateInput, isSameDesiredState } from './desired-state.rules.js';

/** Ten million: what is above is a mistake in a fee or a profit, and does not fit the column. */
const LARGEST_PRICE_CENTS = 1_000_000_000;

/** Turns mappings and supplier snapshots into what every offer should show. */
@Injectable()
export class DesiredStateService {
  private readonly logger = new Logger(DesiredStateService.name);
  private readonly defaults;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
  ) {
    this.defaults = defaultTerms(config);
  }

  /**
   * Computes every offer anew and writes those that differ. Nothing is remembered between calls, so a mapping edited by SQL,
   * an expired reservation or a stale snapshot needs no event to take effect.
   * @returns how many offers were changed.
   */
  async refresh(pauseReason: PauseReason): Promise<number> {
    const { manager } = this.dataSource;
    const now = await databaseNow(manager);
    const input: DesiredStateInput = {
      defaults: this.defaults,
      stockBuffer: this.config.stockBuffer,
      maxDeclaredStock: this.config.maxDeclaredStock,
      // Costs arrive in the account's currency; without an exchange rate only euros can be sold on safely.
      pauseReason: pauseReason ?? (this.config.cwsTargetCurrency === 'EUR' ? null : 'no_exchange_rate'),
      freshSince: now.getTime() - this.config.staleAfterSeconds * 1000,
    };
    const changed: { g2aOfferId: string; desired: DesiredState }[] = [];
    for (const offer of await offersToPrice(manager)) {
      const desired = this.decide(offer, input);
      if (!isSameDesiredState(desired, offer.desired)) changed.push({ g2aOfferId: offer.g2aOfferId, desired });
    }
    await writeDesiredStates(manager, changed);
    return changed.length;
  }

  private decide(offer: OfferToPrice, input: DesiredStateInput): DesiredState {
    try {
      const desired = desiredState(offer, input);
      if ((desired.priceCents ?? 0) > LARGEST_PRICE_CENTS) throw new Error(`a price of ${desired.priceCents} cents`);
      return desired;
    } catch (error) {
      // One product with absurd numbers must not stop the others; it is not sold.
      this.logger.error(`G2A product ${offer.g2aProductId} cannot be priced: ${String(error)}`);
      return { priceCents: null, size: 0, isActive: false, reason: 'cannot_be_priced', costCents: null };
    }
  }
}
