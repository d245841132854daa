import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { unauthorized } from '../errors/http-error.js';
import { AccessTokens } from './access-tokens.js';
import { MERCHANT_BASIC } from './merchant-basic.strategy.js';

const BEARER = /^Bearer +(\S+) *$/i;

/** Lets in whoever presents an access token of ours, or by HTTP Basic the client id and secret themselves. */
@Injectable()
export class MerchantAuthGuard extends AuthGuard(MERCHANT_BASIC) {
  constructor(private readonly tokens: AccessTokens) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { authorization } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return (await super.canActivate(context)) === true;
    if (!this.tokens.isValid(token)) throw unauthorized();
    return true;
  }
}
