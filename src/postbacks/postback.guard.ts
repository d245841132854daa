import { createHash } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppConfig } from '../config/app-config.js';
import { safeEquals } from '../http-auth/safe-equals.js';
import { presentedHash } from './read-postback.rules.js';

/**
 * Lets through what shows that it knows our client id and signature: `authHash` is sha256hex(client id + signature), as in the SDK of
 * CWS's v2. The same in every postback, so whoever has seen one can send others: that is why they are only hints.
 */
@Injectable()
export class PostbackGuard implements CanActivate {
  readonly #expected: string;

  constructor({ cwsClientId, cwsClientSignature }: AppConfig) {
    this.#expected = createHash('sha256').update(`${cwsClientId}${cwsClientSignature}`, 'utf8').digest('hex');
  }

  /** @throws UnauthorizedException */
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (safeEquals(presentedHash(body), this.#expected)) return true;
    throw new UnauthorizedException({ code: 'unauthorized', message: 'authHash is missing or wrong' });
  }
}
