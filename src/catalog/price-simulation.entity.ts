import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What G2A says that a sale at `price_cents` earns, for all prices of one band (see `priceBandOf`). A failed attempt keeps the
 * answer of an earlier one.
 */
@Entity('price_simulations')
@Check('price_simulations_price_is_positive', 'price_cents > 0')
@Check('price_simulations_has_outcome', 'income_cents IS NOT NULL OR failure IS NOT NULL')
export class PriceSimulation {
  @PrimaryColumn('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  /** Lowest price of the band, in cents. */
  @PrimaryColumn('integer', { name: 'price_band' })
  priceBand: number;

  /** The price that was asked about. */
  @Column('integer', { name: 'price_cents' })
  priceCents: number;

  /** Of a sale to a consumer, the lowest over all countries; null while no attempt has succeeded. */
  @Column('integer', { name: 'income_cents', nullable: true })
  incomeCents: number | null;

  /** Of a sale to a company; null where G2A does not tell. */
  @Column('integer', { name: 'business_income_cents', nullable: true })
  businessIncomeCents: number | null;

  /** Why the last attempt failed; null when it succeeded. */
  @Column('varchar', { length: 500, nullable: true })
  failure: string | null;

  /** When the last attempt was made. */
  @Column('timestamptz', { name: 'simulated_at' })
  simulatedAt: Date;
}
