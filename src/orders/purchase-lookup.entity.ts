import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The two ways in which CWS is asked for a purchase whose answer was lost. */
export const LOOKUP_WAYS = ['by_id', 'by_history'] as const;
export type LookupWay = (typeof LOOKUP_WAYS)[number];

/** What purchases known to exist have shown about a way to look them up, on this account. */
@Entity('purchase_lookups')
@Check('purchase_lookups_way_is_known', `way IN ('by_id', 'by_history')`)
export class PurchaseLookup {
  @PrimaryColumn('varchar', { length: 16 })
  way: LookupWay;

  /** When it last found one. */
  @Column('timestamptz', { name: 'found_at', nullable: true })
  foundAt: Date | null;

  /** When it last missed one: from then on nothing is sent again, until a person has looked into it (`purchases trust`). */
  @Column('timestamptz', { name: 'missed_at', nullable: true })
  missedAt: Date | null;
}
