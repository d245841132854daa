import {
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  HttpStatus,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppConfig } from '../config/app-config.js';
import { ADMIN_STRATEGY } from './admin-basic.strategy.js';
import { FailureLimiter } from './failure-limiter.js';

const FOREIGN_SITES: readonly unknown[] = ['cross-site', 'same-site'];

/**
 * Lets only the administrator pass. Answers 404 to everyone while no ADMIN_PASSWORD is set, as if the route did not exist;
 * 401 without the right credentials, 429 after too many wrong ones from one address (see FailureLimiter), and 403 to a
 * change that another web site makes the administrator's browser send, which adds the credentials by itself.
 */
@Injectable()
export class AdminGuard extends AuthGuard(ADMIN_STRATEGY) {
  private readonly limiter = new FailureLimiter(Date.now);

  constructor(protected readonly config: AppConfig) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.config.adminPassword === undefined) {
      throw new NotFoundException({ code: 'route_not_found', message: 'no such route' });
    }
    const http = context.switchToHttp();
    const { headers, ip, method } = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();

    if (method !== 'GET' && FOREIGN_SITES.includes(headers['sec-fetch-site'])) {
      throw new ForbiddenException({ code: 'cross_site_request', message: 'not from another web site' });
    }
    const retryAfterSeconds = this.limiter.retryAfterSeconds(ip);
    if (retryAfterSeconds > 0) {
      void reply.header('Retry-After', retryAfterSeconds);
      throw new HttpException(
        { code: 'too_many_failed_attempts', message: `too many failed logins, try again in ${retryAfterSeconds} s` },
        HttpStatus.TOO_MANY_REQUESTS,
      );
    }
    try {
      await super.canActivate(context);
    } catch (error) {
      if (!(error instanceof UnauthorizedException)) throw error;
      // A browser asks without credentials first: that is no guess.
      if (headers.authorization !== undefined) this.limiter.recordFailure(ip);
      void reply.header('WWW-Authenticate', 'Basic realm="Keyferry", charset="UTF-8"');
      throw new UnauthorizedException({ code: 'unauthorized', message: 'the admin credentials are needed' });
    }
    return true;
  }
}
