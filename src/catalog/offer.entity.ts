import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DeactivationReason } from './offer-deactivations.queries.js';

/**
 * Our offer on G2A: what it should show (`desired_*`), what G2A was last seen to show (`observed_*`) and what was sent and
 * is not confirmed yet (`sent_*`). The publisher only ever closes the difference, so a crash or a repeat does no harm.
 * No foreign key to the mapping: an offer must outlive a deleted mapping until it has been switched off.
 */
@Entity('offers')
@Index('offers_g2a_product', ['g2aProductId'], { unique: true })
@Index('offers_reprice_at', ['repriceAt'])
@Index('offers_priced_holds', ['g2aProductId'], { where: 'priced_holds IS NOT NULL' })
@Index('offers_stale_suppliers', ['g2aProductId'], { where: 'stale_suppliers > 0' })
@Index('offers_desired_cost', ['desiredCostCents'])
@Check(
  'offers_active_is_priced',
  'NOT desired_is_active OR (desired_price_cents > 0 AND desired_business_price_cents > 0 AND desired_size > 0)',
)
@Check('offers_size_is_allowed', 'desired_size BETWEEN 0 AND 10000')
@Check('offers_deactivation_has_message', '(deactivated_at IS NULL) = (deactivation_message IS NULL)')
@Check('offers_deactivation_has_reason', '(deactivated_at IS NULL) = (deactivation_reason IS NULL)')
@Check('offers_stop_job_is_due', '(stop_job_id IS NULL) = (stop_job_due_at IS NULL)')
export class Offer {
  @PrimaryColumn('uuid', { name: 'g2a_offer_id' })
  g2aOfferId: string;

  @Column('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  @Column('integer', { name: 'desired_price_cents', nullable: true })
  desiredPriceCents: number | null;

  /** An offer that only consumers, or only companies, see has one price, which stands in both columns. */
  @Column('integer', { name: 'desired_business_price_cents', nullable: true })
  desiredBusinessPriceCents: number | null;

  @Column('integer', { name: 'desired_size', default: 0 })
  desiredSize: number;

  @Column('boolean', { name: 'desired_is_active', default: false })
  desiredIsActive: boolean;

  /** `for_sale`, or why it is not: `out_of_stock`, `unmapped`, `disabled`, `deactivated_by_g2a`, `paused`, `stale`, … */
  @Column('varchar', { name: 'desired_reason', length: 64, default: 'not_priced_yet' })
  desiredReason: string;

  /** What one piece costs at the supplier behind the desired price; null when not for sale, unless the account cannot pay it. */
  @Column('integer', { name: 'desired_cost_cents', nullable: true })
  desiredCostCents: number | null;

  /** What a sale at the desired price leaves after G2A's fees; null when not for sale. */
  @Column('integer', { name: 'desired_income_cents', nullable: true })
  desiredIncomeCents: number | null;

  /** The supplier behind the desired price; null when not for sale. */
  @Column('uuid', { name: 'desired_cws_product_id', nullable: true })
  desiredCwsProductId: string | null;

  /** The lowest price at which a sale to a consumer pays for `desired_cost_cents`; null when not for sale. */
  @Column('integer', { name: 'desired_break_even_cents', nullable: true })
  desiredBreakEvenCents: number | null;

  /** The same of a sale to a company. */
  @Column('integer', { name: 'desired_business_break_even_cents', nullable: true })
  desiredBusinessBreakEvenCents: number | null;

  @Column('integer', { name: 'observed_retail_price_cents', nullable: true })
  observedRetailPriceCents: number | null;

  @Column('integer', { name: 'observed_business_price_cents', nullable: true })
  observedBusinessPriceCents: number | null;

  /** G2A's own limits for the price of this product, in EUR; null where the listing shows none. */
  @Column('integer', { name: 'observed_min_price_cents', nullable: true })
  observedMinPriceCents: number | null;

  @Column('integer', { name: 'observed_max_price_cents', nullable: true })
  observedMaxPriceCents: number | null;

  @Column('integer', { name: 'observed_size', nullable: true })
  observedSize: number | null;

  @Column('boolean', { name: 'observed_is_active' })
  observedIsActive: boolean;

  /** `retail` or `business` offers take only that price. */
  @Column('varchar', { name: 'observed_visibility', length: 16, default: 'all' })
  observedVisibility: 'all' | 'retail' | 'business';

  @Column('timestamptz', { name: 'observed_at' })
  observedAt: Date;

  @Column('integer', { name: 'sent_price_cents', nullable: true })
  sentPriceCents: number | null;

  @Column('integer', { name: 'sent_business_price_cents', nullable: true })
  sentBusinessPriceCents: number | null;

  /** Lowest price among the changes sent and not yet confirmed: a customer may have bought at any of them. */
  @Column('integer', { name: 'sent_lowest_price_cents', nullable: true })
  sentLowestPriceCents: number | null;

  @Column('integer', { name: 'sent_size', nullable: true })
  sentSize: number | null;

  @Column('boolean', { name: 'sent_is_active', nullable: true })
  sentIsActive: boolean | null;

  /** Null when nothing is waiting for confirmation. */
  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt: Date | null;

  /** When we last sent a stop that may explain why the offer is shown off; null once it was seen so, or is lost. */
  @Column('timestamptz', { name: 'stop_sent_at', nullable: true })
  stopSentAt: Date | null;

  /** G2A's job of a stop that is not confirmed yet. */
  @Column('varchar', { name: 'stop_job_id', length: 64, nullable: true })
  stopJobId: string | null;

  /** When to ask for that job next. */
  @Column('timestamptz', { name: 'stop_job_due_at', nullable: true })
  stopJobDueAt: Date | null;

  /** Since when it is tried once an hour only, for it keeps failing; a stop never waits for that. */
  @Column('timestamptz', { name: 'quarantined_at', nullable: true })
  quarantinedAt: Date | null;

  @Column('integer', { name: 'failure_count', default: 0 })
  failureCount: number;

  /** Not tried again before this time. */
  @Column('timestamptz', { name: 'retry_at', nullable: true })
  retryAt: Date | null;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;

  /** When we learned that somebody else had switched the offer off; null unless it stays off for that. */
  @Column('timestamptz', { name: 'deactivated_at', nullable: true })
  deactivatedAt: Date | null;

  /** How we learned of it, which becomes the reason of the desired state: G2A told us, or its listing shows what we did not send. */
  @Column('varchar', { name: 'deactivation_reason', length: 32, nullable: true })
  deactivationReason: DeactivationReason | null;

  /** Why, in G2A's words. */
  @Column('varchar', { name: 'deactivation_message', length: 1000, nullable: true })
  deactivationMessage: string | null;

  /** When it is priced again though nothing is known to have changed: what depends on the clock, or just to be safe. */
  @Column('timestamptz', { name: 'reprice_at', default: () => 'now()' })
  repriceAt: Date;

  /** The pieces of its suppliers that were spoken for, as `<CWS id>=<pieces>,…`; null: none. When they are others, it is priced. */
  @Column('text', { name: 'priced_holds', nullable: true })
  pricedHolds: string | null;

  /** How many of its suppliers were left out because they were not heard of lately. */
  @Column('smallint', { name: 'stale_suppliers', default: 0 })
  staleSuppliers: number;

  /** Since when the desired size is an older one, for the difference to the right one is nothing that a buyer would notice. */
  @Column('timestamptz', { name: 'size_held_since', nullable: true })
  sizeHeldSince: Date | null;
}
