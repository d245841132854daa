import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ControlState } from './control-state.entity.js';
import { ControlService } from './control.service.js';
import { CwsCurrencyService } from './cws-currency.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ControlState])],
  providers: [ControlService, CwsCurrencyService],
  exports: [ControlService],
})
export class ControlModule {}
