import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { StoredRequestBudget } from './request-budget.entity.js';

/** Requests that a replica may send, or has sent. */
@Entity('request_leases', {
  comment: 'Requests that a replica may send, or has sent; deleted some time after counts_until.',
})
@Index('request_leases_counting', ['budgetName', 'countsUntil'])
@Check('request_leases_requests_is_not_negative', 'requests >= 0')
export class RequestLease {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  @Column('varchar', { name: 'budget_name', length: 64 })
  budgetName: string;

  @ManyToOne(() => StoredRequestBudget, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'budget_name', foreignKeyConstraintName: 'request_leases_budget' })
  budget: StoredRequestBudget;

  /** Those that may still be sent, and those that were. */
  @Column('integer')
  requests: number;

  /** A whole window after the lease could last be used. */
  @Column('timestamptz', { name: 'counts_until' })
  countsUntil: Date;
}
