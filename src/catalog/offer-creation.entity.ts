import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * An offer that we asked G2A to create: written before it is asked for, and gone once the offer is known. While the outcome is
 * unknown nothing is asked again; the listing decides.
 */
@Entity('offer_creations')
export class OfferCreation {
  @PrimaryColumn('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  @Column('timestamptz', { name: 'sent_at' })
  sentAt: Date;

  /** Whether it is certain that the attempt has created nothing; only then another may follow. */
  @Column('boolean', { name: 'is_settled', default: false })
  isSettled: boolean;

  /** The job that creates it; null while or where G2A has not named one. */
  @Column('varchar', { name: 'job_id', length: 64, nullable: true })
  jobId: string | null;

  @Column('integer', { name: 'failure_count', default: 0 })
  failureCount: number;

  /** Not tried again before this time. */
  @Column('timestamptz', { name: 'retry_at', nullable: true })
  retryAt: Date | null;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;
}
