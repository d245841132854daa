import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { OrderItem } from './order-item.entity.js';
import { LIVE_PURCHASE_STATES, PURCHASE_STATES, type PurchaseState } from './order-state.rules.js';

const quoted = (states: readonly string[]): string => states.map((state) => `'${state}'`).join(', ');

/**
 * What we buy, or mean to buy, at CWS for one order item. The row is committed as `intended` before the request leaves, so
 * that after any crash it is known that money may have been spent.
 */
@Entity('purchases')
@Index('purchases_one_live_per_order_item', ['orderItemId'], {
  unique: true,
  where: `state IN (${quoted(LIVE_PURCHASE_STATES)})`,
})
@Index('purchases_order_item', ['orderItemId'])
@Index('purchases_client_order_id', ['clientOrderId'], { unique: true })
@Index('purchases_cws_order_id', ['cwsOrderId'], { unique: true })
@Check('purchases_state_is_known', `state IN (${quoted(PURCHASE_STATES)})`)
@Check('purchases_amounts_are_positive', 'quantity > 0 AND price_cap_cents > 0')
export class Purchase {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'order_item_id' })
  @ForeignKey(() => OrderItem, { name: 'purchases_order_item_fkey' })
  orderItemId: string;

  @Column('uuid', { name: 'cws_product_id' })
  cwsProductId: string;

  @Column('integer')
  quantity: number;

  /** The most that one piece may cost, in cents of the CWS account's currency (CWS_TARGET_CURRENCY); sent to CWS as `price`. */
  @Column('integer', { name: 'price_cap_cents' })
  priceCapCents: number;

  /** Our reference at CWS, derived from installation and purchase id: the same on every look-up. */
  @Column('varchar', { name: 'client_order_id', length: 64 })
  clientOrderId: string;

  @Column('varchar', { length: 16 })
  state: PurchaseState;

  @Column('varchar', { name: 'cws_order_id', length: 64, nullable: true })
  cwsOrderId: string | null;

  /** What one piece did cost, as CWS confirmed it, in the account's currency too. */
  @Column('integer', { name: 'unit_price_cents', nullable: true })
  unitPriceCents: number | null;

  /** How often CWS was asked about this purchase since its last change of state; spaces the next question. */
  @Column('integer', { name: 'poll_count', default: 0 })
  pollCount: number;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}
