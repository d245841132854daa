import { Controller, Get, HttpCode, UseGuards } from '@nestjs/common';
import { MerchantAuthGuard } from './auth/merchant-auth.guard.js';

/** G2A calls this often. It says that we are there and know G2A; whether we can sell, each reservation says. */
@Controller('healthcheck')
@UseGuards(MerchantAuthGuard)
export class HealthcheckController {
  @Get()
  @HttpCode(204)
  check(): void {
    // 204 is the answer.
  }
}
