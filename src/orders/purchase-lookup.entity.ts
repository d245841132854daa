import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The two ways in which CWS is asked for a purchase whose answer was lost. */
export const LOOKUP_WAYS = ['by_id', 'by_history'] as const;
export type LookupWay = (typeof LOOKUP_WAYS)[number];

/**
 * What purchases known to exist have shown about a way to look them up, on one account of CWS. One that says neither has answered,
 * and was not tried with a purchase yet.
 */
@Entity('purchase_lookups')
@Check('purchase_lookups_way_is_known', `way IN ('by_id', 'by_history')`)
export class PurchaseLookup {
  /** As lookupAccount names it: another account, or the test system, begins without trust. */
  @PrimaryColumn('varchar', { length: 16, primaryKeyConstraintName: 'purchase_lookups_pkey' })
  account: string;

  @PrimaryColumn('varchar', { length: 16, primaryKeyConstraintName: 'purchase_lookups_pkey' })
  way: LookupWay;

  /** When it last found one. */
  @Column('timestamptz', { name: 'found_at', nullable: true })
  foundAt: Date | null;

  /** When it last missed one: from then on nothing is sent again, until a person has looked into it (`purchases trust`). */
  @Column('timestamptz', { name: 'missed_at', nullable: true })
  missedAt: Date | null;
}
