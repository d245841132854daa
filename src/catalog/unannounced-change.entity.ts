import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A change of a supplier product that we found by asking for it, before the supplier's feed had announced it. Judged once the
 * feed has had its chance, and kept for some time after that.
 */
@Entity('unannounced_changes')
@Index('unannounced_changes_one_open_per_product', ['cwsProductId'], { unique: true, where: 'verdict IS NULL' })
@Index('unannounced_changes_judged_at', ['judgedAt'])
@Check('unannounced_changes_verdict_is_known', `verdict IN ('announced', 'missed')`)
@Check('unannounced_changes_verdict_has_time', '(verdict IS NULL) = (judged_at IS NULL)')
export class UnannouncedChange {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column('uuid', { name: 'cws_product_id' })
  cwsProductId: string;

  @Column('timestamptz', { name: 'found_at', default: () => 'clock_timestamp()' })
  foundAt: Date;

  /** Complete passes of the feed, begun since, that did not mention the product. */
  @Column('integer', { default: 0 })
  passes: number;

  /** Whether the feed announced it after all; null: it still has time. */
  @Column('varchar', { length: 16, nullable: true })
  verdict: 'announced' | 'missed' | null;

  @Column('timestamptz', { name: 'judged_at', nullable: true })
  judgedAt: Date | null;
}
