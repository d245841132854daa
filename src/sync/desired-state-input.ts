import type { EntityManager } from 'typeorm';
import { payableBalance } from '../catalog/account-balance.queries.js';
import { type CurrentRate, currentRate } from '../catalog/exchange-rates.queries.js';
import { defaultTerms } from '../catalog/mapping-terms.js';
import { databaseNow, mappedSupplierCount } from '../catalog/supplier-products.queries.js';
import type { AppConfig } from '../config/app-config.js';
import { inEuro } from '../pricing/exchange-rate.rules.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { expectedCycleSeconds } from './sweep.rules.js';
import { type FeedState, feedState } from './sync-cursors.queries.js';

/** While the feed is unreliable the sweep alone brings news, and a product may have to wait for longer than one cycle of it. */
const SWEEP_CYCLES = 1.5;

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
  const feed = await feedState(manager);
  const freshSince = now.getTime() - (await staleAfterSeconds(manager, config, feed)) * 1000;
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

/**
 * How old the supplier's state may be for offers to be sold on it: as configured, and while the feed is unreliable at least one
 * and a half cycles of the sweep, or most of a large catalog would be switched off although all is well.
 */
async function staleAfterSeconds(manager: EntityManager, config: AppConfig, feed: FeedState | null): Promise<number> {
  const configured = config.staleAfterSeconds;
  if (feed === null || feed.unreliableSince === null) return configured;
  const cycleSeconds =
    feed.sweepCycleSeconds ?? expectedCycleSeconds(await mappedSupplierCount(manager), config.cwsProductsRate);
  return Math.max(configured, SWEEP_CYCLES * cycleSeconds);
}
