import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CwsModule } from '../cws/cws.module.js';
import { AcceptOrderService } from './accept-order.service.js';
import { AvailableStockService } from './available-stock.service.js';
import { CallPersonService } from './call-person.service.js';
import { ChooseSupplierService } from './choose-supplier.service.js';
import { DeliverKeysService } from './deliver-keys.service.js';
import { KeyCipher } from './key-cipher.js';
import { Key } from './key.entity.js';
import { OrderItem } from './order-item.entity.js';
import { OrderJobsService } from './order-jobs.service.js';
import { Order } from './order.entity.js';
import { LiveStockService } from './live-stock.service.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import { MatchSupplierOrdersService } from './match-supplier-orders.service.js';
import { MoveOrderService } from './move-order.service.js';
import { PlacePurchaseService } from './place-purchase.service.js';
import { PlanReservationService } from './plan-reservation.service.js';
import { PollPurchaseService } from './poll-purchase.service.js';
import { PurchaseOrderService } from './purchase-order.service.js';
import { PurchaseLookup } from './purchase-lookup.entity.js';
import { Purchase } from './purchase.entity.js';
import { ReadCodesService } from './read-codes.service.js';
import { ReleaseReservationService } from './release-reservation.service.js';
import { ReopenOrderService } from './reopen-order.service.js';
import { RenewReservationService } from './renew-reservation.service.js';
import { ResolveOrderService } from './resolve-order.service.js';
import { ReservationCleanUpService } from './reservation-clean-up.service.js';
import { ReservationItem } from './reservation-item.entity.js';
import { Reservation } from './reservation.entity.js';
import { ReserveStockService } from './reserve-stock.service.js';
import { ReturnKeysService } from './return-keys.service.js';
import { SettlePurchaseService } from './settle-purchase.service.js';
import { StoreCodesService } from './store-codes.service.js';
import { TryLookupsService } from './try-lookups.service.js';
import { WatchBalanceService } from './watch-balance.service.js';
import { WakePurchasesService } from './wake-purchases.service.js';
import { WatchPendingService } from './watch-pending.service.js';
import { UnmatchedSupplierOrder } from './unmatched-supplier-order.entity.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([
      Key,
      Order,
      OrderItem,
      Purchase,
      PurchaseLookup,
      Reservation,
      ReservationItem,
      UnmatchedSupplierOrder,
    ]),
    CatalogModule,
    CwsModule,
  ],
  providers: [
    AcceptOrderService,
    AvailableStockService,
    CallPersonService,
    ChooseSupplierService,
    DeliverKeysService,
    KeyCipher,
    LiveStockService,
    LookUpPurchaseService,
    MatchSupplierOrdersService,
    MoveOrderService,
    OrderJobsService,
    PlacePurchaseService,
    PlanReservationService,
    PollPurchaseService,
    PurchaseOrderService,
    ReadCodesService,
    ReleaseReservationService,
    RenewReservationService,
    ReopenOrderService,
    ReservationCleanUpService,
    ReserveStockService,
    ResolveOrderService,
    ReturnKeysService,
    SettlePurchaseService,
    StoreCodesService,
    TryLookupsService,
    WatchBalanceService,
    WakePurchasesService,
    WatchPendingService,
  ],
  exports: [
    AcceptOrderService,
    DeliverKeysService,
    ReleaseReservationService,
    RenewReservationService,
    ReopenOrderService,
    ReserveStockService,
    ResolveOrderService,
    ReturnKeysService,
    WakePurchasesService,
  ],
})
export class OrdersModule {}
