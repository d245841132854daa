import {
  Body,
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Alert } from '../alerts/alert.entity.js';
import { AlertsService } from '../alerts/alerts.service.js';
import type { AuditActor } from '../audit/audit-log.js';
import { auditRowsOfSale, latestAuditRows } from '../audit/audit.queries.js';
import { AppConfig } from '../config/app-config.js';
import { ControlService } from '../control/control.service.js';
import { findOrder, itemsOfOrder, latestOrders } from '../orders/order-views.queries.js';
import { controlView, readStatus, type Status } from '../status/status.js';
import { OfferDeactivationsService } from '../sync/offer-deactivations.service.js';
import { AdminGuard } from '../http-auth/admin.guard.js';
import { adminActor } from './admin-actor.js';
import {
  readG2aProductId,
  readLimit,
  readOrderId,
  readOrderState,
  readPauseReason,
  readSubject,
} from './admin-input.js';
import { findMapping, findOffer, suppliersOfMapping } from './offers.queries.js';

/** What people ask and order. Never answers a key or a secret. See AdminGuard for who may. */
@Controller('admin')
@UseGuards(AdminGuard)
export class AdminController {
  private readonly actor: AuditActor;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly control: ControlService,
    private readonly alerts: AlertsService,
    private readonly deactivations: OfferDeactivationsService,
    private readonly config: AppConfig,
  ) {
    this.actor = adminActor(config);
  }

  /** Whether we sell or why not, what that rests on, and how much of everything there is. */
  @Get('status')
  async status(): Promise<Status> {
    return readStatus(this.dataSource.manager, this.config);
  }

  /** Stops selling; orders already paid go on. */
  @Post('pause')
  @HttpCode(HttpStatus.OK)
  async pause(@Body() body: unknown) {
    return controlView(await this.control.pause(this.actor, readPauseReason(body)), this.config);
  }

  @Post('resume')
  @HttpCode(HttpStatus.OK)
  async resume() {
    return controlView(await this.control.resume(this.actor), this.config);
  }

  /** Open alerts, oldest first. */
  @Get('alerts')
  async openAlerts(): Promise<{ alerts: Alert[] }> {
    return { alerts: await this.alerts.open() };
  }

  /** The newest orders, of one `state` if given. */
  @Get('orders')
  async orders(@Query('state') state: unknown, @Query('limit') limit: unknown) {
    const criteria = { state: readOrderState(state), limit: readLimit(limit) };
    return { orders: await latestOrders(this.dataSource.manager, criteria) };
  }

  /** One order with all that was bought for it and all that happened to it. */
  @Get('orders/:id')
  async order(@Param('id') id: unknown) {
    const { manager } = this.dataSource;
    const order = await findOrder(manager, readOrderId(id));
    if (order === null) throw new NotFoundException({ code: 'order_not_found', message: 'no such order' });
    const items = await itemsOfOrder(manager, order.id);
    const purchaseIds = items.flatMap((item) => item.purchases.map((purchase) => purchase.id));
    const audit = await auditRowsOfSale(manager, [order.id, order.reservationId, ...purchaseIds]);
    return { ...order, items, audit };
  }

  /** Why a product is shown as it is: the offer, its mapping and its suppliers. */
  @Get('offers/:g2aProductId')
  async offer(@Param('g2aProductId') id: unknown) {
    const { manager } = this.dataSource;
    const g2aProductId = readG2aProductId(id);
    const offer = await findOffer(manager, g2aProductId);
    const mapping = await findMapping(manager, g2aProductId);
    if (offer === null && mapping === null) {
      throw new NotFoundException({
        code: 'offer_not_found',
        message: 'neither an offer nor a mapping of this product',
      });
    }
    return { g2aProductId, offer, mapping, suppliers: await suppliersOfMapping(manager, g2aProductId) };
  }

  /** G2A's deactivation of the offer has been looked into: it is published again. */
  @Post('offers/:g2aProductId/clear-deactivation')
  @HttpCode(HttpStatus.OK)
  async clearDeactivation(@Param('g2aProductId') id: unknown) {
    const g2aProductId = readG2aProductId(id);
    if ((await this.deactivations.clear(this.actor, g2aProductId)) === null) {
      throw new NotFoundException({ code: 'offer_not_found', message: 'no offer of this product is known' });
    }
    return { g2aProductId, offer: await findOffer(this.dataSource.manager, g2aProductId) };
  }

  /** The newest lines of the audit log. */
  @Get('audit')
  async audit(
    @Query('subjectType') subjectType: unknown,
    @Query('subjectId') subjectId: unknown,
    @Query('limit') limit: unknown,
  ) {
    const rows = await latestAuditRows(this.dataSource.manager, {
      subjectType: readSubject('subjectType', subjectType),
      subjectId: readSubject('subjectId', subjectId),
      limit: readLimit(limit),
    });
    return { audit: rows };
  }
}
