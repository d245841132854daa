import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * Our offer on G2A: what it should show (`desired_*`), what G2A was last seen to show (`observed_*`) and what was sent and
 * is not confirmed yet (`sent_*`). The publisher only ever closes the difference, so a crash or a repeat does no harm.
 * No foreign key to the mapping: an offer must outlive a deleted mapping until it has been switched off.
 */
@Entity('offers')
@Index('offers_g2a_product', ['g2aProductId'], { unique: true })
@Check(
  'offers_active_is_priced',
  'NOT desired_is_active OR (desired_price_cents > 0 AND desired_business_price_cents > 0 AND desired_size > 0)',
)
@Check('offers_size_is_allowed', 'desired_size BETWEEN 0 AND 10000')
@Check('offers_deactivation_has_message', '(deactivated_at IS NULL) = (deactivation_message IS NULL)')
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

  /** What one piece costs at the supplier behind the desired price; null when not for sale. */
  @Column('integer', { name: 'desired_cost_cents', nullable: true })
  desiredCostCents: number | null;

  /** What a sale at the desired price leaves after G2A's fees; null when not for sale. */
  @Column('integer', { name: 'desired_income_cents', nullable: true })
  desiredIncomeCents: number | null;

  /** The supplier behind the desired price; null when not for sale. */
  @Column('uuid', { name: 'desired_cws_product_id', nullable: true })
  desiredCwsProductId: string | null;

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

  @Column('integer', { name: 'failure_count', default: 0 })
  failureCount: number;

  /** Not tried again before this time. */
  @Column('timestamptz', { name: 'retry_at', nullable: true })
  retryAt: Date | null;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;

  /** When G2A told us that it had switched the offer off; null unless it stays off for that. */
  @Column('timestamptz', { name: 'deactivated_at', nullable: true })
  deactivatedAt: Date | null;

  /** Why, in G2A's words. */
  @Column('varchar', { name: 'deactivation_message', length: 1000, nullable: true })
  deactivationMessage: string | null;
}
