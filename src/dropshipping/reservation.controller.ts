import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { type ProductStock, ReserveStockService } from '../orders/reserve-stock.service.js';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';
import { readReservation } from './dto/create-reservation.dto.js';

@Controller('reservation')
@UseGuards(MerchantAuthGuard)
export class ReservationController {
  constructor(private readonly reserveStock: ReserveStockService) {}

  @Post()
  @HttpCode(200)
  async create(@Body() body: unknown) {
    const { reservationId, stock } = await this.reserveStock.reserve(readReservation(body));
    return { reservation_id: reservationId, stock: stock.map(toStockAnswer) };
  }
}

function toStockAnswer({ g2aProductId, inventorySize }: ProductStock) {
  return { product_id: g2aProductId, inventory_size: inventorySize };
}
