import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Alert } from './alert.entity.js';
import { AlertsService } from './alerts.service.js';

@Global()
@Module({ imports: [TypeOrmModule.forFeature([Alert])], providers: [AlertsService], exports: [AlertsService] })
export class AlertsModule {}
