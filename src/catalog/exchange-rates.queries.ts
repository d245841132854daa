import type { EntityManager } from 'typeorm';
import type { AuditActor } from '../audit/audit-log.js';
import type { AppConfig } from '../config/app-config.js';
import { EURO, type ExchangeRate, type ExchangeRateTexts, parseExchangeRate } from '../pricing/exchange-rate.rules.js';

/** What is known of the account's currency now. */
export interface CurrentRate {
  /** Turns costs into euros for what is to be sold; null when no rate is known or the last one is too old. */
  readonly usable: ExchangeRate | null;
  /** The last one, however old: what is already paid goes on by it. */
  readonly last: ExchangeRate | null;
  /** When the last one was quoted; null when there is none or none is needed. */
  readonly asOf: Date | null;
}

/** A stored rate as people read it: decimals in their shortest form. */
export interface StoredRate extends ExchangeRateTexts {
  readonly asOf: Date;
  readonly createdAt: Date;
  readonly actor: string;
}

const NO_RATE_NEEDED: CurrentRate = { usable: EURO, last: EURO, asOf: null };

const STORED_RATE = `currency, trim_scale(rate)::text AS rate, trim_scale(margin_percent)::text AS "marginPercent",
  as_of AS "asOf", created_at AS "createdAt", actor`;

/** The rate of the account's currency, its age by the database's clock. Euros need none, and no statement. */
export async function currentRate(
  manager: EntityManager,
  { cwsTargetCurrency, exchangeRateMaxAgeHours }: Pick<AppConfig, 'cwsTargetCurrency' | 'exchangeRateMaxAgeHours'>,
): Promise<CurrentRate> {
  if (cwsTargetCurrency === EURO.currency) return NO_RATE_NEEDED;
  const [row] = await manager.query<(StoredRate & { isTooOld: boolean })[]>(
    `SELECT ${STORED_RATE}, as_of < clock_timestamp() - make_interval(hours => $2) AS "isTooOld"
     FROM exchange_rates WHERE currency = $1 ORDER BY as_of DESC, id DESC LIMIT 1`,
    [cwsTargetCurrency, exchangeRateMaxAgeHours],
  );
  if (row === undefined) return { usable: null, last: null, asOf: null };
  const last = parseExchangeRate(row);
  return { usable: row.isTooOld ? null : last, last, asOf: row.asOf };
}

/** The rate that counts of each currency. */
export async function latestRates(manager: EntityManager): Promise<StoredRate[]> {
  return manager.query<StoredRate[]>(
    `SELECT DISTINCT ON (currency) ${STORED_RATE} FROM exchange_rates ORDER BY currency, as_of DESC, id DESC`,
  );
}

/** All rates of a currency; the first is the one that counts. */
export async function ratesOf(manager: EntityManager, currency: string): Promise<StoredRate[]> {
  return manager.query<StoredRate[]>(
    `SELECT ${STORED_RATE} FROM exchange_rates WHERE currency = $1 ORDER BY as_of DESC, id DESC`,
    [currency],
  );
}

/**
 * Adds a rate; the table's trigger audits it.
 * @param asOf when it was quoted; default: now, by the database's clock.
 */
export async function insertRate(
  manager: EntityManager,
  actor: AuditActor,
  { currency, rate, marginPercent }: ExchangeRate,
  asOf: Date | null,
): Promise<StoredRate> {
  const [stored] = await manager.query<[StoredRate]>(
    `INSERT INTO exchange_rates (currency, rate, margin_percent, as_of, actor)
     VALUES ($1, $2::numeric, $3::numeric, coalesce($4::timestamptz, now()), $5) RETURNING ${STORED_RATE}`,
    [currency, rate, marginPercent, asOf, actor],
  );
  return stored;
}
