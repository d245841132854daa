import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { SupplierProductSnapshot } from './supplier-product.entity.js';

/**
 * Pieces of a supplier product that the supplier still shows but that are spoken for:
 * `reserved` until `expires_at`, `owed` from payment until bought, `bought` until a newer snapshot no longer shows them.
 */
@Entity('stock_holds')
@Index('stock_holds_cws_product', ['cwsProductId'])
@Index('stock_holds_reservation_item', ['reservationItemId'])
@Check('stock_holds_quantity_is_positive', 'quantity > 0')
@Check('stock_holds_state_is_known', `state IN ('reserved', 'owed', 'bought')`)
@Check('stock_holds_reserved_expires', `(state = 'reserved') = (expires_at IS NOT NULL)`)
@Check('stock_holds_bought_has_time', `(state = 'bought') = (bought_at IS NOT NULL)`)
export class StockHold {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column('uuid', { name: 'cws_product_id' })
  @ForeignKey(() => SupplierProductSnapshot, { name: 'stock_holds_supplier_product_fkey' })
  cwsProductId: string;

  /** Whose pieces they are. The row lives in orders/, one floor up: only its id is known here. */
  @Column('uuid', { name: 'reservation_item_id' })
  reservationItemId: string;

  @Column('integer')
  quantity: number;

  @Column('varchar', { length: 16 })
  state: 'reserved' | 'owed' | 'bought';

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'bought_at', nullable: true })
  boughtAt: Date | null;
}
