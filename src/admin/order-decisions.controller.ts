import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Post,
  Query,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { DataSource } from 'typeorm';
import type { AuditActor } from '../audit/audit-log.js';
import { AppConfig } from '../config/app-config.js';
import { AdminGuard } from '../http-auth/admin.guard.js';
import { ExportSalesService } from '../orders/export-sales.service.js';
import { orderIdByReference } from '../orders/order-by-reference.js';
import { OrderNotFoundError } from '../orders/order-errors.js';
import { ReopenOrderService } from '../orders/reopen-order.service.js';
import { type ResolvedOrder, ResolveOrderService } from '../orders/resolve-order.service.js';
import { csvText, jsonText } from '../orders/sales-export-texts.js';
import { adminActor } from './admin-actor.js';
import { readExportFormat, readExportWindow, readGiveUp, readResolution } from './order-decisions-input.js';

/** What only a person can decide about an order, and the books about all. */
@Controller('admin/orders')
@UseGuards(AdminGuard)
export class OrderDecisionsController {
  private readonly actor: AuditActor;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly reopening: ReopenOrderService,
    private readonly resolving: ResolveOrderService,
    private readonly exporting: ExportSalesService,
    config: AppConfig,
  ) {
    this.actor = adminActor(config);
  }

  /**
   * Searches anew for the keys of an order that needs attention. Only after a look at CWS's panel: a purchase whose outcome is
   * unknown is given up, and if it did happen the key is paid twice. See ReopenOrderService, also for `giveUp` of the body.
   */
  @Post(':id/reopen')
  @HttpCode(HttpStatus.NO_CONTENT)
  async reopen(@Param('id') id: string, @Body() body: unknown): Promise<void> {
    if (!isUUID(id)) throw new OrderNotFoundError();
    await this.reopening.reopen(id, this.actor, readGiveUp(body));
  }

  /**
   * Ends an order that was settled with the customer, by our id or G2A's: nothing is bought for it any more, and no further key
   * is handed over. See ResolveOrderService.
   */
  @Post(':reference/resolve')
  @HttpCode(HttpStatus.OK)
  async resolve(
    @Param('reference') reference: string,
    @Body() body: unknown,
  ): Promise<ResolvedOrder & { readonly orderId: string; readonly isDryRun: boolean }> {
    const decision = readResolution(body);
    const orderId = await orderIdByReference(this.dataSource.manager, reference);
    const outcome = await this.resolving.resolve(orderId, { ...decision, actor: this.actor });
    return { orderId, isDryRun: decision.isDryRun, ...outcome };
  }

  /** Purchases against sales of the orders paid for on these days (UTC, both included), for bookkeeping. */
  @Get('export')
  exportSales(
    @Query('from') from: unknown,
    @Query('to') to: unknown,
    @Query('format') format: unknown,
  ): StreamableFile {
    const rows = this.exporting.rows(readExportWindow(from, to));
    return readExportFormat(format) === 'json'
      ? new StreamableFile(Readable.from(jsonText(rows), { objectMode: false }), { type: 'application/json' })
      : new StreamableFile(Readable.from(csvText(rows), { objectMode: false }), {
          type: 'text/csv; charset=utf-8',
          disposition: 'attachment; filename="purchases-against-sales.csv"',
        });
  }
}
