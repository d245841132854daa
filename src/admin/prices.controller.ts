import { Controller, Get, NotFoundException, Param, Query, UseGuards } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { priceHistory } from '../catalog/price-history.queries.js';
import { AdminGuard } from '../http-auth/admin.guard.js';
import { ExplainPriceService } from '../sync/explain-price.service.js';
import { priceExplanationView, publishedPriceView } from '../sync/price-view.js';
import { readG2aProductId, readLimit } from './admin-input.js';

/** What the price of a product is made of, and what it was. */
@Controller('admin/products')
@UseGuards(AdminGuard)
export class PricesController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly explaining: ExplainPriceService,
  ) {}

  /** Every number of the calculation in order, the result, and why it is not sold if it is not. */
  @Get(':g2aProductId/price')
  async price(@Param('g2aProductId') id: unknown) {
    const explanation = await this.explaining.explain(readG2aProductId(id));
    if (explanation === null) {
      throw new NotFoundException({
        code: 'offer_not_found',
        message: 'neither an offer nor a mapping of this product',
      });
    }
    return priceExplanationView(explanation);
  }

  /** What was published, newest first, with the cost behind it; also of products that are not sold any more. */
  @Get(':g2aProductId/price-history')
  async history(@Param('g2aProductId') id: unknown, @Query('limit') limit: unknown) {
    const g2aProductId = readG2aProductId(id);
    const prices = await priceHistory(this.dataSource.manager, { g2aProductId, limit: readLimit(limit) });
    return { g2aProductId, prices: prices.map(publishedPriceView) };
  }
}
