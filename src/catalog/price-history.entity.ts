import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A price that G2A has accepted or shown, with the cost behind it from then on. Append-only: the database refuses updates and
 * deletes. A price that is published again, with nothing changed behind it, has no second row.
 */
@Entity('price_history', {
  comment: 'Each price sent to G2A, with the cost behind it and what a sale leaves after fees, in cents.',
})
@Index('price_history_product', ['g2aProductId', 'id'])
@Check('price_history_has_a_price', 'COALESCE(retail_price_cents, business_price_cents) > 0')
export class PriceHistoryEntry {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  @Column('timestamptz', { default: () => 'now()' })
  at: Date;

  @Column('uuid', { name: 'g2a_offer_id' })
  g2aOfferId: string;

  @Column('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  /** Null for an offer that only businesses see. */
  @Column('integer', { name: 'retail_price_cents', nullable: true })
  retailPriceCents: number | null;

  /** Null for an offer that businesses do not see. */
  @Column('integer', { name: 'business_price_cents', nullable: true })
  businessPriceCents: number | null;

  /** What one piece cost at the supplier, in euros; null when the offer was switched off while the price was on its way. */
  @Column('integer', { name: 'cost_cents', nullable: true })
  costCents: number | null;

  /** What a retail sale leaves after G2A's fees; null like the cost. */
  @Column('integer', { name: 'income_cents', nullable: true })
  incomeCents: number | null;

  /** The supplier whose cost it is; null like the cost. */
  @Column('uuid', { name: 'cws_product_id', nullable: true })
  cwsProductId: string | null;
}
