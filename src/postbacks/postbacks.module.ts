import { Module } from '@nestjs/common';
import { OrdersModule } from '../orders/orders.module.js';
import { SyncModule } from '../sync/sync.module.js';
import { FollowHintsService } from './follow-hints.service.js';
import { PostbackGuard } from './postback.guard.js';
import { PostbacksController } from './postbacks.controller.js';

@Module({
  imports: [OrdersModule, SyncModule],
  controllers: [PostbacksController],
  providers: [FollowHintsService, PostbackGuard],
})
export class PostbacksModule {}
