import { Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { OrderDecisionsController } from './order-decisions.controller.js';

@Module({ imports: [HttpAuthModule, OrdersModule], controllers: [OrderDecisionsController] })
export class OrderDecisionsModule {}
