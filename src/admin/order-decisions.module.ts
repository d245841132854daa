import { Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { ExportSalesService } from '../orders/export-sales.service.js';
import { OrdersModule } from '../orders/orders.module.js';
import { OrderDecisionsController } from './order-decisions.controller.js';

@Module({
  imports: [HttpAuthModule, OrdersModule],
  controllers: [OrderDecisionsController],
  providers: [ExportSalesService],
})
export class OrderDecisionsModule {}
