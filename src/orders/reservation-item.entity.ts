import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Reservation } from './reservation.entity.js';

/** One product of a reservation. */
@Entity('reservation_items')
@Index('reservation_items_one_per_product', ['reservationId', 'g2aProductId'], { unique: true })
@Check('reservation_items_quantity_is_positive', 'quantity > 0')
@Check('reservation_items_sale_price_is_positive', 'sale_price_cents > 0')
export class ReservationItem {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'reservation_id' })
  @ForeignKey(() => Reservation, { onDelete: 'CASCADE', name: 'reservation_items_reservation_fkey' })
  reservationId: string;

  @Column('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  @Column('integer')
  quantity: number;

  /** Lowest price that G2A may have sold at: last seen, or sent and not confirmed yet. Purchases are capped by it. */
  @Column('integer', { name: 'sale_price_cents' })
  salePriceCents: number;

  /** What that leaves after the fees of that time, at worst: what the key may cost. */
  @Column('integer', { name: 'sale_income_cents' })
  saleIncomeCents: number;

  /** `additional_data.unit_price` as G2A wrote it. What it includes is not published: kept for people, never computed with. */
  @Column('varchar', { name: 'quoted_unit_price', length: 32, nullable: true })
  quotedUnitPrice: string | null;

  /** `additional_data.auction_base_price`, likewise. */
  @Column('varchar', { name: 'quoted_base_price', length: 32, nullable: true })
  quotedBasePrice: string | null;
}
