import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AdminGuard } from '../http-auth/admin.guard.js';

/**
 * Who may read /metrics. Outside production everyone: HOST is then the loopback address by default. In production, where
 * HOST is 0.0.0.0 by default, whoever knows ADMIN_USERNAME and ADMIN_PASSWORD (Basic); without ADMIN_PASSWORD the route does
 * not exist there (404).
 */
@Injectable()
export class MetricsAccessGuard extends AdminGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return !this.config.isProduction || super.canActivate(context);
  }
}
