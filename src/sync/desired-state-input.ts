import type { EntityManager } from 'typeorm';
import { payableBalance } from '../catalog/account-balance.queries.js';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { defaultTerms } from '../catalog/mapping-terms.js';
import { staleAfterSeconds } from '../catalog/supplier-freshness.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import type { AppConfig } from '../config/app-config.js';
import { inEuro } from '../pricing/exchange-rate.rules.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { feedState } from './sync-cursors.queries.js';

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
  const freshSince = now.getTime() - (await staleAfterSeconds(manager, config.staleAfterSeconds)) * 1000;
  const feed = await feedState(manager);
  const feedAsOf = feed?.unreliableSince === null ? feed.passStartedAt.getTime() : null;
  const payable = config.balanceLimitsStock ? await payableBalance(manager, config.cwsTargetCurrency) : null;
  return {
    rate,
    input: {
      defaults: defaultTerms(config),
      stockBuffer: config.stockBuffer,
      maxDeclaredStock: config.maxDeclaredStock,
      pauseReason,
      priceSimulation: config.priceSimulation,
      rate: rate.usable,
      now: now.getTime(),
      freshSince,
      feedVouchesFrom: feedAsOf !== null && feedAsOf >= freshSince ? feedAsOf : null,
      lowStock: config.lowStock,
      // Costs are in euros by the same rate.
      payable: payable === null || rate.usable === null ? null : inEuro(payable, rate.usable),
    },
  };
}
