import { Body, Controller, Get, Header, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { AcceptOrderService } from '../orders/accept-order.service.js';
import { DeliverKeysService } from '../orders/deliver-keys.service.js';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';
import { readOrder } from './dto/create-order.dto.js';
import { readOrderReference } from './dto/order-reference.js';

@Controller('order')
@UseGuards(MerchantAuthGuard)
export class OrderController {
  constructor(
    private readonly acceptOrder: AcceptOrderService,
    private readonly deliverKeys: DeliverKeysService,
  ) {}

  /** 202: keys are bought only now, and fetched by G2A later. */
  @Post()
  @HttpCode(202)
  async create(@Body() body: unknown) {
    const { orderId, stock } = await this.acceptOrder.accept(readOrder(body));
    return {
      order_id: orderId,
      stock: stock.map(({ g2aProductId, inventorySize }) => ({
        product_id: g2aProductId,
        inventory_size: inventorySize,
        inventory: [],
      })),
    };
  }

  @Get(':order_id/inventory')
  // Keys are in the answer: no proxy on the way keeps it.
  @Header('Cache-Control', 'no-store')
  async inventory(@Param('order_id') orderId: string) {
    const products = await this.deliverKeys.inventory(readOrderReference(orderId));
    return products.map(({ g2aProductId, inventorySize, items }) => ({
      product_id: g2aProductId,
      inventory_size: inventorySize,
      inventory: items.map(({ id, value, kind }) => ({ id, value, kind })),
    }));
  }
}
