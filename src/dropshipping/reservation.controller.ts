import { Body, Controller, Delete, HttpCode, Param, Post, Put, UseGuards } from '@nestjs/common';
import { ReleaseReservationService } from '../orders/release-reservation.service.js';
import { RenewReservationService } from '../orders/renew-reservation.service.js';
import type { ProductStock } from '../orders/reservation-plan.rules.js';
import { ReserveStockService } from '../orders/reserve-stock.service.js';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';
import { readReservation } from './dto/create-reservation.dto.js';
import { readReservationId } from './dto/reservation-id.js';

@Controller('reservation')
@UseGuards(MerchantAuthGuard)
export class ReservationController {
  constructor(
    private readonly reserveStock: ReserveStockService,
    private readonly renewReservation: RenewReservationService,
    private readonly releaseReservation: ReleaseReservationService,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@Body() body: unknown) {
    const { reservationId, stock } = await this.reserveStock.reserve(readReservation(body));
    return toAnswer(reservationId, stock);
  }

  /** The reservation is all that it names: a body is not looked at. */
  @Put(':reservation_id')
  async renew(@Param('reservation_id') id: string) {
    const reservationId = readReservationId(id);
    const { stock } = await this.renewReservation.renew(reservationId);
    return toAnswer(reservationId, stock);
  }

  @Delete(':reservation_id')
  @HttpCode(204)
  async release(@Param('reservation_id') id: string): Promise<void> {
    await this.releaseReservation.release(readReservationId(id));
  }
}

function toAnswer(reservationId: string, stock: readonly ProductStock[]) {
  return {
    reservation_id: reservationId,
    stock: stock.map(({ g2aProductId, inventorySize }) => ({
      product_id: g2aProductId,
      inventory_size: inventorySize,
    })),
  };
}
