import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Order } from './order.entity.js';
import { ReservationItem } from './reservation-item.entity.js';

/** One product of an order. Shares its id with the reservation item that it came from. */
@Entity('order_items')
@Index('order_items_one_per_product', ['orderId', 'g2aProductId'], { unique: true })
@Check('order_items_quantity_is_positive', 'quantity > 0')
export class OrderItem {
  @PrimaryColumn('uuid')
  @ForeignKey(() => ReservationItem, { name: 'order_items_reservation_item_fkey' })
  id: string;

  @Column('uuid', { name: 'order_id' })
  @ForeignKey(() => Order, { onDelete: 'CASCADE', name: 'order_items_order_fkey' })
  orderId: string;

  @Column('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;

  @Column('integer')
  quantity: number;

  @Column('integer', { name: 'sale_price_cents' })
  salePriceCents: number;

  /** What that leaves after the fees of that time, at worst: what the key may cost. */
  @Column('integer', { name: 'sale_income_cents' })
  saleIncomeCents: number;
}
