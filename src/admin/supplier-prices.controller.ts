import {
  ConflictException,
  Controller,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  Post,
  UseGuards,
} from '@nestjs/common';
import { isUUID } from 'class-validator';
import { AppConfig } from '../config/app-config.js';
import { AdminGuard } from '../http-auth/admin.guard.js';
import type { PriceBand } from '../money/price-band.js';
import { UnconfirmedPricesService } from '../sync/unconfirmed-prices.service.js';
import { amount } from '../money/amount.js';

/** What only a person can decide about a supplier's price. */
@Controller('admin/supplier-products')
@UseGuards(AdminGuard)
export class SupplierPricesController {
  constructor(
    private readonly prices: UnconfirmedPricesService,
    private readonly config: AppConfig,
  ) {}

  /** Takes the price that CWS shows, and that is not believed, for true. */
  @Post(':id/accept-price')
  @HttpCode(HttpStatus.OK)
  async acceptPrice(@Param('id') id: string) {
    const outcome = isUUID(id) ? await this.prices.accept(`admin:${this.config.adminUsername}`, id) : 'unknown';
    if (outcome === 'unknown') {
      throw new NotFoundException({
        code: 'supplier_product_not_found',
        message: 'CWS was never heard about such a product',
      });
    }
    if (outcome === 'confirmed') {
      throw new ConflictException({ code: 'price_not_unconfirmed', message: 'its price is not in question' });
    }
    return { cwsProductId: id.toLowerCase(), from: bands(outcome.from), to: bands(outcome.to) };
  }
}

function bands(list: readonly PriceBand[]) {
  return list.map(({ unitPrice, ...band }) => ({ ...band, unitPrice: amount(unitPrice) }));
}
