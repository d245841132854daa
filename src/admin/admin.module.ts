import { Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { OfferDeactivationsService } from '../sync/offer-deactivations.service.js';
import { AdminController } from './admin.controller.js';

/** REST for people under /admin. ControlService and AlertsService come from global modules. */
@Module({ imports: [HttpAuthModule], controllers: [AdminController], providers: [OfferDeactivationsService] })
export class AdminModule {}
