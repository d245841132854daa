import type { EntityManager } from 'typeorm';
import type { AuditActor } from '../audit/audit-log.js';
import { differsByMoreThan, type ExchangeRateTexts, parseExchangeRate } from '../pricing/exchange-rate.rules.js';
import { insertRate, ratesOf, type StoredRate } from './exchange-rates.queries.js';
import { databaseNow } from './supplier-products.queries.js';

/** A rate as a person enters it. */
export interface RateToSet extends ExchangeRateTexts {
  /** When it was quoted; null: now. */
  readonly asOf: Date | null;
  /** Whether the person has been told that it differs much from the one before. */
  readonly isForced: boolean;
}

/** What became of it. */
export type SetRateOutcome =
  /** `current` is the one that counts: another one, if that was quoted later. */
  | { readonly isStored: true; readonly stored: StoredRate; readonly current: StoredRate }
  | { readonly isStored: false; readonly reason: 'differs_much'; readonly before: StoredRate }
  | { readonly isStored: false; readonly reason: 'not_yet_quoted' };

/** Change in percent of the rate before that a person must confirm: currencies of a supplier do not move so far. */
export const MUCH_PERCENT = 20;

/**
 * Stores a new rate of a foreign currency, unless it looks like a slip of the pen.
 * @throws InvalidPricingTermError when currency, rate or margin are out of range.
 */
export async function setExchangeRate(
  manager: EntityManager,
  actor: AuditActor,
  { asOf, isForced, ...texts }: RateToSet,
): Promise<SetRateOutcome> {
  const rate = parseExchangeRate(texts);
  if (asOf !== null && asOf > (await databaseNow(manager))) return { isStored: false, reason: 'not_yet_quoted' };
  const [before] = await ratesOf(manager, rate.currency);
  if (before !== undefined && !isForced && differsByMoreThan(MUCH_PERCENT, rate, parseExchangeRate(before))) {
    return { isStored: false, reason: 'differs_much', before };
  }
  const stored = await insertRate(manager, actor, rate, asOf);
  return { isStored: true, stored, current: before !== undefined && before.asOf > stored.asOf ? before : stored };
}
