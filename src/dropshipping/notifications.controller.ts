import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ReceiveNotificationsService } from '../sync/receive-notifications.service.js';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';
import { readNotifications } from './dto/create-notifications.dto.js';

@Controller('notifications')
@UseGuards(MerchantAuthGuard)
export class NotificationsController {
  constructor(private readonly receiveNotifications: ReceiveNotificationsService) {}

  @Post()
  @HttpCode(204)
  async create(@Body() body: unknown): Promise<void> {
    await this.receiveNotifications.receive(readNotifications(body));
  }
}
