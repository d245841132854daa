import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { CharmEnding } from '../pricing/pricing-terms.js';

/**
 * A G2A product that the owner wants to sell, and how it is priced. A null money term means "the default from the
 * environment". Edited by the seed command or by plain SQL; every change is audited by a trigger.
 */
@Entity('product_mappings', {
  comment: 'G2A products that are offered. A null term means the default from the environment.',
})
@Check('product_mappings_id_is_exact', 'g2a_product_id BETWEEN 1 AND 9007199254740991')
@Check('product_mappings_profit_is_not_negative', 'fixed_profit_cents >= 0 AND profit_percent >= 0')
@Check('product_mappings_fee_is_a_fraction', 'fee_percentage >= 0 AND fee_percentage < 1')
@Check('product_mappings_fixed_fee_is_not_negative', 'fee_fixed_cents >= 0')
@Check('product_mappings_charm_ending_is_known', `charm_ending IN ('.99', '.49')`)
@Check(
  'product_mappings_bounds_are_ordered',
  'min_price_cents > 0 AND max_price_cents > 0 AND min_price_cents <= max_price_cents',
)
export class ProductMapping {
  @PrimaryColumn('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  @Column('boolean', { name: 'is_enabled', default: true })
  isEnabled: boolean;

  @Column('integer', { name: 'fixed_profit_cents', nullable: true, comment: 'Least profit per sale, in cents.' })
  fixedProfitCents: number | null;

  /** Percent of cost as decimal text, e.g. "7.5". */
  @Column('numeric', {
    name: 'profit_percent',
    precision: 9,
    scale: 4,
    nullable: true,
    comment: 'Least profit per sale, in percent of cost; the larger of both counts.',
  })
  profitPercent: string | null;

  /** Fraction of the price as decimal text, e.g. "0.15". */
  @Column('numeric', {
    name: 'fee_percentage',
    precision: 7,
    scale: 6,
    nullable: true,
    comment: 'What G2A keeps, as a fraction: 0.15 is 15 percent.',
  })
  feePercentage: string | null;

  @Column('integer', { name: 'min_price_cents', nullable: true })
  minPriceCents: number | null;

  @Column('integer', {
    name: 'max_price_cents',
    nullable: true,
    comment: 'Not sold when the price that keeps the profit is higher.',
  })
  maxPriceCents: number | null;

  @Column('integer', {
    name: 'fee_fixed_cents',
    nullable: true,
    comment: 'What G2A keeps of each sale on top of its fraction, in cents.',
  })
  feeFixedCents: number | null;

  @Column('varchar', {
    name: 'charm_ending',
    length: 3,
    nullable: true,
    comment: 'Last digits that a price is raised to, .99 or .49; null: as computed.',
  })
  charmEnding: CharmEnding | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}
