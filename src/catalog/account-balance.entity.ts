import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The one row that says what the CWS account can still pay. Amounts are in cents of the account's currency. */
@Entity('account_balance')
@Check('account_balance_is_one_row', 'id = 1')
@Check('account_balance_is_known_as_a_whole', 'num_nulls(total_to_use_cents, currency, asked_at) IN (0, 3)')
export class AccountBalance {
  @PrimaryColumn('smallint', { default: 1 })
  id: number;

  /** Balance and credit, as CWS said last; null: not known. */
  @Column('bigint', { name: 'total_to_use_cents', nullable: true })
  totalToUseCents: number | null;

  /** ISO 4217. */
  @Column('varchar', { length: 3, nullable: true })
  currency: string | null;

  /** When the question was sent that was answered with it: what was bought later is not in it. */
  @Column('timestamptz', { name: 'asked_at', nullable: true })
  askedAt: Date | null;

  /** When CWS was last asked, be it in vain. */
  @Column('timestamptz', { name: 'tried_at', nullable: true })
  triedAt: Date | null;

  /** Cost of live reservations, owed keys and purchases that may have been made since, as last counted. */
  @Column('bigint', { name: 'committed_cents', default: 0 })
  committedCents: number;

  /** When that was. */
  @Column('timestamptz', { name: 'counted_at', nullable: true })
  countedAt: Date | null;
}
