import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A request limit of an upstream, for all replicas together. */
@Entity('request_budgets', {
  comment: 'One row for each request limit of an upstream; locked while a lease is given.',
})
export class StoredRequestBudget {
  /** System and limit: "cws product list". */
  @PrimaryColumn('varchar', { length: 64 })
  name: string;

  @Column('timestamptz', { name: 'asked_at', default: () => 'now()' })
  askedAt: Date;

  @Column('timestamptz', {
    name: 'paused_until',
    nullable: true,
    comment: 'The upstream asked for no requests before (429, Retry-After).',
  })
  pausedUntil: Date | null;
}
