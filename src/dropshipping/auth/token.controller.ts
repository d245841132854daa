import { Body, Controller, Get, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isWireObject } from '../../upstream/wire.js';
import { unsupportedGrantType } from '../errors/http-error.js';
import { ACCESS_TOKEN_SECONDS, AccessTokens } from './access-tokens.js';
import { AdmitClientService } from './admit-client.service.js';
import { type ClientPair, readOAuthBasicPairs } from './client-pair.js';
import { TOKEN_ROUTE } from './token-route.js';

interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
}

/** Sells access tokens for the client id and secret (RFC 6749, section 4.4); G2A asks by GET. */
@Controller(TOKEN_ROUTE)
export class TokenController {
  constructor(
    private readonly admitClient: AdmitClientService,
    private readonly tokens: AccessTokens,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  answerQuery(@Query() query: unknown, @Req() request: FastifyRequest): TokenAnswer {
    return this.answer(query, request);
  }

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  answerBody(@Body() body: unknown, @Req() request: FastifyRequest): TokenAnswer {
    return this.answer(body, request);
  }

  private answer(parameters: unknown, request: FastifyRequest): TokenAnswer {
    if (textOf(parameters, 'grant_type') !== 'client_credentials') throw unsupportedGrantType();
    const pair = this.admitClient.admit(presentedPair(parameters, request.headers.authorization), request.ip);
    return { access_token: this.tokens.issue(pair), token_type: 'bearer', expires_in: ACCESS_TOKEN_SECONDS };
  }
}

function presentedPair(parameters: unknown, authorization: string | undefined): ClientPair[] {
  const clientId = textOf(parameters, 'client_id');
  const clientSecret = textOf(parameters, 'client_secret');
  if (clientId === undefined || clientSecret === undefined) return readOAuthBasicPairs(authorization);
  return [{ clientId, clientSecret }];
}

/** A parameter given once; one given twice is an array, and none (RFC 6749, section 3.2). */
function textOf(parameters: unknown, name: string): string | undefined {
  const value = isWireObject(parameters) ? parameters[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
