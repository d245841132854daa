import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { ORDER_STATES, type OrderState } from './order-state.rules.js';
import { Reservation } from './reservation.entity.js';

/** A paid sale: from its existence on, keys are owed. */
@Entity('orders')
@Index('orders_one_per_reservation', ['reservationId'], { unique: true })
@Index('orders_one_per_g2a_order', ['g2aOrderId'], { unique: true })
@Index('orders_unfinished', ['createdAt'], { where: `state IN ('accepted', 'purchasing', 'fulfilling')` })
@Check('orders_state_is_known', `state IN (${ORDER_STATES.map((state) => `'${state}'`).join(', ')})`)
@Check('orders_g2a_id_is_exact', 'g2a_order_id BETWEEN 1 AND 9007199254740991')
export class Order {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'reservation_id' })
  @ForeignKey(() => Reservation, { name: 'orders_reservation_fkey' })
  reservationId: string;

  @Column('bigint', { name: 'g2a_order_id' })
  g2aOrderId: number;

  @Column('varchar', { length: 20 })
  state: OrderState;

  /** Why a person has to look, with the numbers; set together with `needs_attention`. */
  @Column('varchar', { name: 'attention_reason', length: 500, nullable: true })
  attentionReason: string | null;

  /** Until then the keys are looked for automatically at full speed. */
  @Column('timestamptz', { name: 'deadline_at' })
  deadlineAt: Date;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}
