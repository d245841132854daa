import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * What a unit of the supplier account's currency costs in euros, as a person entered it. Append-only: the database refuses
 * updates and deletes, and a trigger audits each row.
 */
@Entity('exchange_rates', { comment: 'Euros for one unit of a currency. The latest as_of of a currency counts.' })
@Index('exchange_rates_latest', ['currency', 'asOf', 'id'])
@Check('exchange_rates_currency_is_a_foreign_one', `currency ~ '^[A-Z]{3}$' AND currency <> 'EUR'`)
@Check('exchange_rates_rate_is_in_range', 'rate > 0 AND rate <= 1000')
@Check('exchange_rates_margin_is_in_range', 'margin_percent >= 0 AND margin_percent <= 100')
@Check('exchange_rates_as_of_has_passed', 'as_of <= created_at')
export class StoredExchangeRate {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  /** ISO 4217, upper case, never EUR. */
  @Column('varchar', { length: 3 })
  currency: string;

  /** Decimal text, e.g. "1.17". */
  @Column('numeric', {
    precision: 16,
    scale: 12,
    comment: 'Euros for one unit of the currency, before the margin: 1.17 for GBP.',
  })
  rate: string;

  /** Decimal text, e.g. "2". */
  @Column('numeric', {
    name: 'margin_percent',
    precision: 7,
    scale: 4,
    default: 0,
    comment: 'Added to the rate for safety, in percent of it.',
  })
  marginPercent: string;

  /** When the rate was quoted, never later than it was entered; of equal ones the one entered last counts. */
  @Column('timestamptz', { name: 'as_of', default: () => 'now()' })
  asOf: Date;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  /** Who: 'cli:<name>', 'sql:<database user>'. */
  @Column('varchar', { length: 64, default: () => 'current_actor()' })
  actor: string;
}
