import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { OrderItem } from './order-item.entity.js';
import { LIVE_PURCHASE_STATES, PURCHASE_STATES, type PurchaseState } from './order-state.rules.js';

const quoted = (states: readonly string[]): string => states.map((state) => `'${state}'`).join(', ');

/**
 * What we buy, or mean to buy, at CWS for one order item. The row is committed as `intended` before the request leaves, so
 * that after any crash it is known that money may have been spent.
 */
@Entity('purchases')
@Index('purchases_one_live_per_item_and_product', ['orderItemId', 'cwsProductId'], {
  unique: true,
  where: `state IN (${quoted(LIVE_PURCHASE_STATES)})`,
})
@Index('purchases_created_at', ['createdAt'])
@Index('purchases_order_item', ['orderItemId'])
@Index('purchases_client_order_id', ['clientOrderId'], { unique: true })
@Index('purchases_cws_order_id', ['cwsOrderId'], { unique: true })
@Check('purchases_state_is_known', `state IN (${quoted(PURCHASE_STATES)})`)
@Index('purchases_pending', ['createdAt'], { where: `state = 'fulfilling'` })
@Index('purchases_lookups_unchecked', ['createdAt'], {
  where: 'cws_order_id IS NOT NULL AND lookups_checked_at IS NULL',
})
@Index('purchases_watched', ['watchedUntil'], { where: 'watched_until IS NOT NULL' })
@Check('purchases_send_count_is_not_negative', 'send_count >= 0')
@Check('purchases_awaited_preorders_is_not_negative', 'awaited_preorders >= 0')
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

  /** Further orders that CWS has made for this one purchase, of which it should have made one. */
  @Column('text', { name: 'other_cws_order_ids', array: true, default: () => "'{}'" })
  otherCwsOrderIds: string[];

  /** Until then CWS is asked whether it has more of this purchase than we know, also when the purchase is over; null: not. */
  @Column('timestamptz', { name: 'watched_until', nullable: true })
  watchedUntil: Date | null;

  /** What one piece did cost, as CWS confirmed it, in the account's currency too. */
  @Column('integer', { name: 'unit_price_cents', nullable: true })
  unitPriceCents: number | null;

  /** How often CWS was asked about this purchase since its last change of state; spaces the next question. */
  @Column('integer', { name: 'poll_count', default: 0 })
  pollCount: number;

  /** How often it was sent, or may have been. An `intended` purchase with 0 certainly was not. */
  @Column('integer', { name: 'send_count', default: 1 })
  sendCount: number;

  /** When the last sending was claimed: it is written to the wire within 5 s of this, or never. */
  @Column('timestamptz', { name: 'send_claimed_at', default: () => 'now()' })
  sendClaimedAt: Date;

  /** Until then CWS has no room for it, by its own word; null: it has not said so. */
  @Column('timestamptz', { name: 'not_before', nullable: true })
  notBefore: Date | null;

  /** From when on nothing of the last sending can still arrive at CWS; null: its worker has not said. */
  @Column('timestamptz', { name: 'settles_at', nullable: true })
  settlesAt: Date | null;

  /** When CWS's look-ups were tried with this purchase, after CWS had confirmed it. */
  @Column('timestamptz', { name: 'lookups_checked_at', nullable: true })
  lookupsCheckedAt: Date | null;

  /** Codes that CWS sold as pre-orders and has not delivered yet. */
  @Column('integer', { name: 'awaited_preorders', default: 0 })
  awaitedPreorders: number;

  /** When CWS refused it for the product's sake (sold out, gone, the price), not for want of money; null: it did not. */
  @Column('timestamptz', { name: 'refused_at', nullable: true })
  refusedAt: Date | null;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}
