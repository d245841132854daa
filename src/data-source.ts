import { DataSource } from 'typeorm';
import { Alert } from './alerts/alert.entity.js';
import { AuditLogEntry } from './audit/audit-log.entity.js';
import { AccountBalance } from './catalog/account-balance.entity.js';
import { StoredExchangeRate } from './catalog/exchange-rate.entity.js';
import { OfferCreation } from './catalog/offer-creation.entity.js';
import { Offer } from './catalog/offer.entity.js';
import { PriceSimulation } from './catalog/price-simulation.entity.js';
import { PricingState } from './catalog/pricing-state.entity.js';
import { ProductMappingSupplier } from './catalog/product-mapping-supplier.entity.js';
import { ProductMapping } from './catalog/product-mapping.entity.js';
import { Repricing } from './catalog/repricing.entity.js';
import { StockHold } from './catalog/stock-hold.entity.js';
import { SupplierProductSnapshot } from './catalog/supplier-product.entity.js';
import { UnannouncedChange } from './catalog/unannounced-change.entity.js';
import { ControlState } from './control/control-state.entity.js';
import { dataSourceOptions } from './database/data-source-options.js';
import { Key } from './orders/key.entity.js';
import { OrderItem } from './orders/order-item.entity.js';
import { Order } from './orders/order.entity.js';
import { Purchase } from './orders/purchase.entity.js';
import { PurchaseLookup } from './orders/purchase-lookup.entity.js';
import { UnmatchedSupplierOrder } from './orders/unmatched-supplier-order.entity.js';
import { ReservationItem } from './orders/reservation-item.entity.js';
import { Reservation } from './orders/reservation.entity.js';
import { StoredNotification } from './sync/notification.entity.js';
import { SyncCursor } from './sync/sync-cursor.entity.js';
import { SyncLeadership } from './sync/sync-leadership.entity.js';
import { StoredRequestBudget } from './upstream/request-budget.entity.js';
import { RequestLease } from './upstream/request-lease.entity.js';

/** Every table of ours. A test generates a migration from them and finds nothing to do. */
export const ENTITIES = [
  AccountBalance,
  Alert,
  AuditLogEntry,
  ControlState,
  Key,
  Offer,
  OfferCreation,
  Order,
  OrderItem,
  PriceSimulation,
  PricingState,
  ProductMapping,
  ProductMappingSupplier,
  Purchase,
  PurchaseLookup,
  Repricing,
  RequestLease,
  Reservation,
  ReservationItem,
  StockHold,
  StoredExchangeRate,
  StoredNotification,
  StoredRequestBudget,
  SupplierProductSnapshot,
  SyncCursor,
  SyncLeadership,
  UnannouncedChange,
  UnmatchedSupplierOrder,
];

/** A data source that knows every entity, for migration tools. The application's own is made by DatabaseModule. */
export function createDataSource(url: string): DataSource {
  return new DataSource({ ...dataSourceOptions(url, 'keyferry-tools'), entities: ENTITIES });
}
