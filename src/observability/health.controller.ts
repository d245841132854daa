import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type ReadinessFailure, ReadinessService } from './readiness.service.js';

/** Answer of /readyz. */
export type Readiness = { status: 'ok' } | { status: 'unavailable'; failedCheck: ReadinessFailure };

/** For the platform that runs us: open to everyone, and telling nothing but yes or no. */
@Controller()
export class HealthController {
  constructor(private readonly readiness: ReadinessService) {}

  /** 200 while the event loop turns: a process that does not answer is to be restarted. */
  @Get('livez')
  livez(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200, or 503 with the name of the check that failed: no requests are to be sent here for now. */
  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const failedCheck = await this.readiness.failure();
    if (failedCheck === null) return { status: 'ok' };
    void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'unavailable', failedCheck };
  }
}
