import { Controller, HttpCode, HttpStatus, Param, Post, UseGuards } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { AppConfig } from '../config/app-config.js';
import { AdminGuard } from '../http-auth/admin.guard.js';
import { OrderNotFoundError } from '../orders/order-errors.js';
import { ReopenOrderService } from '../orders/reopen-order.service.js';

/** What only a person can decide about an order. */
@Controller('admin/orders')
@UseGuards(AdminGuard)
export class OrderDecisionsController {
  constructor(
    private readonly reopening: ReopenOrderService,
    private readonly config: AppConfig,
  ) {}

  /**
   * Searches anew for the keys of an order that needs attention. Only after a look at CWS's panel: a purchase whose outcome is
   * unknown is given up, and if it did happen the key is paid twice.
   */
  @Post(':id/reopen')
  @HttpCode(HttpStatus.NO_CONTENT)
  async reopen(@Param('id') id: string): Promise<void> {
    if (!isUUID(id)) throw new OrderNotFoundError();
    await this.reopening.reopen(id, `admin:${this.config.adminUsername}`);
  }
}
