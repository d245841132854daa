import { Module } from '@nestjs/common';
import { HttpAuthModule } from '../http-auth/http-auth.module.js';
import { AdminController } from './admin.controller.js';

/** REST for people under /admin. ControlService and AlertsService come from global modules. */
@Module({ imports: [HttpAuthModule], controllers: [AdminController] })
export class AdminModule {}
