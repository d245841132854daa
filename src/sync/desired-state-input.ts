import type { EntityManager } from 'typeorm';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { defaultTerms } from '../catalog/mapping-terms.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import type { AppConfig } from '../config/app-config.js';
import type { DesiredStateInput } from './desired-state.rules.js';

/**
 * What applies to every offer alike, as of now.
 * @param pauseReason why nothing is to be sold, or null.
 */
export async function desiredStateInput(
  manager: EntityManager,
  config: AppConfig,
  pauseReason: string | null,
): Promise<{ readonly input: DesiredStateInput; readonly rate: CurrentRate }> {
  const now = await databaseNow(manager);
  const rate = await currentRate(manager, config);
  return {
    rate,
    input: {
      defaults: defaultTerms(config),
      stockBuffer: config.stockBuffer,
      maxDeclaredStock: config.maxDeclaredStock,
      pauseReason,
      priceSimulation: config.priceSimulation,
      rate: rate.usable,
      freshSince: now.getTime() - config.staleAfterSeconds * 1000,
    },
  };
}
