import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AcceptOrderService } from '../orders/accept-order.service.js';
import { DeliverKeysService, type DeliveryOptions } from '../orders/deliver-keys.service.js';
import { ItemNotFoundError } from '../orders/order-errors.js';
import { ReturnKeysService } from '../orders/return-keys.service.js';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';
import { readOrder } from './dto/create-order.dto.js';
import { readItemId, readItemIds } from './dto/item-ids.js';
import { readOrderReference } from './dto/order-reference.js';

@Controller('order')
@UseGuards(MerchantAuthGuard)
export class OrderController {
  constructor(
    private readonly acceptOrder: AcceptOrderService,
    private readonly deliverKeys: DeliverKeysService,
    private readonly returnKeys: ReturnKeysService,
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
  async inventory(@Param('order_id') orderId: string, @Req() request: FastifyRequest) {
    const products = await this.deliverKeys.inventory(readOrderReference(orderId), deliveryBy(request));
    return products.map(({ g2aProductId, inventorySize, items }) => ({
      product_id: g2aProductId,
      inventory_size: inventorySize,
      inventory: items.map(({ id, value, kind }) => ({ id, value, kind })),
    }));
  }

  /** A `file` item's bytes. */
  @Get(':order_id/inventory/:id')
  @Header('Cache-Control', 'no-store')
  async file(@Param('order_id') orderId: string, @Param('id') id: string, @Req() request: FastifyRequest) {
    const file = await this.deliverKeys.file(readOrderReference(orderId), readItemId(id), deliveryBy(request));
    return { data: file.bytes.toString('base64'), fileName: file.fileName, mimeType: file.mimeType };
  }

  /** No key of ours is an account. */
  @Get(':order_id/inventory/:id/account')
  account(): never {
    throw new ItemNotFoundError();
  }

  @Delete(':order_id/inventory')
  @HttpCode(204)
  async takeBack(@Param('order_id') orderId: string, @Query() query: unknown): Promise<void> {
    await this.returnKeys.takeBack(readOrderReference(orderId), readItemIds(query));
  }
}

/** Fastify answers HEAD by the handler of GET and drops the body: no key has left then. */
function deliveryBy(request: FastifyRequest): DeliveryOptions {
  return { isDelivery: request.method !== 'HEAD' };
}
