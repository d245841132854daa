import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CwsModule } from '../cws/cws.module.js';
import { AcceptOrderService } from './accept-order.service.js';
import { ChooseSupplierService } from './choose-supplier.service.js';
import { DeliverKeysService } from './deliver-keys.service.js';
import { KeyCipher } from './key-cipher.js';
import { Key } from './key.entity.js';
import { OrderItem } from './order-item.entity.js';
import { OrderJobsService } from './order-jobs.service.js';
import { Order } from './order.entity.js';
import { PollPurchaseService } from './poll-purchase.service.js';
import { PurchaseOrderService } from './purchase-order.service.js';
import { Purchase } from './purchase.entity.js';
import { ReservationItem } from './reservation-item.entity.js';
import { Reservation } from './reservation.entity.js';
import { ReserveStockService } from './reserve-stock.service.js';
import { SettlePurchaseService } from './settle-purchase.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Key, Order, OrderItem, Purchase, Reservation, ReservationItem]),
    CatalogModule,
    CwsModule,
  ],
  providers: [
    AcceptOrderService,
    ChooseSupplierService,
    DeliverKeysService,
    KeyCipher,
    OrderJobsService,
    PollPurchaseService,
    PurchaseOrderService,
    ReserveStockService,
    SettlePurchaseService,
  ],
  exports: [AcceptOrderService, DeliverKeysService, ReserveStockService],
})
export class OrdersModule {}
