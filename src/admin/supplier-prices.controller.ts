import {
  BadRequestException,
  Body,
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
import { adminActor } from './admin-actor.js';
import { type Cents, InvalidAmountError, parseCents } from '../money/cents.js';
import { formatPriceBands, type PriceBand } from '../money/price-band.js';
import { type PriceNotAccepted, UnconfirmedPricesService } from '../sync/unconfirmed-prices.service.js';
import { amount } from '../money/amount.js';

/** What only a person can decide about a supplier's price. */
@Controller('admin/supplier-products')
@UseGuards(AdminGuard)
export class SupplierPricesController {
  constructor(
    private readonly prices: UnconfirmedPricesService,
    private readonly config: AppConfig,
  ) {}

  /**
   * Takes the price that CWS shows, and that is not believed, for true. The body names it, as it is for one key, so that
   * nobody accepts another one than they have seen: `{"price": "18.00"}`, or null when there is none any more.
   */
  @Post(':id/accept-price')
  @HttpCode(HttpStatus.OK)
  async acceptPrice(@Param('id') id: string, @Body() body: unknown) {
    const price = readPrice(body);
    const actor = adminActor(this.config);
    const outcome = isUUID(id)
      ? await this.prices.accept(actor, { cwsProductId: id, price })
      : { refusal: 'unknown' as const };
    if ('refusal' in outcome) throw refusalOf(outcome);
    return { cwsProductId: id.toLowerCase(), from: bands(outcome.from), to: bands(outcome.to) };
  }
}

function readPrice(body: unknown): Cents | null {
  const price: unknown = typeof body === 'object' && body !== null && 'price' in body ? body.price : undefined;
  if (price === null) return null;
  try {
    if (typeof price === 'string') return parseCents(price, 'exact');
  } catch (error) {
    if (!(error instanceof InvalidAmountError)) throw error;
  }
  throw new BadRequestException({
    code: 'invalid_request',
    message: 'price: expected the unconfirmed price of one key, such as "18.00", or null when there is none any more',
  });
}

function refusalOf(refused: PriceNotAccepted): NotFoundException | ConflictException {
  switch (refused.refusal) {
    case 'unknown':
      return new NotFoundException({
        code: 'supplier_product_not_found',
        message: 'CWS was never heard about such a product',
      });
    case 'confirmed':
      return new ConflictException({ code: 'price_not_unconfirmed', message: 'its price is not in question' });
    case 'changed':
      return new ConflictException({
        code: 'price_changed_meanwhile',
        message: `the price in question is by now ${formatPriceBands(refused.unconfirmed)}`,
      });
  }
}

function bands(list: readonly PriceBand[]) {
  return list.map(({ unitPrice, ...band }) => ({ ...band, unitPrice: amount(unitPrice) }));
}
