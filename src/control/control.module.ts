import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ControlState } from './control-state.entity.js';
import { ControlService } from './control.service.js';

@Global()
@Module({ imports: [TypeOrmModule.forFeature([ControlState])], providers: [ControlService], exports: [ControlService] })
export class ControlModule {}
