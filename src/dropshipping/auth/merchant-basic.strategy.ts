import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { BasicStrategy } from 'passport-http';
import { AdmitClientService } from './admit-client.service.js';
import { type ClientPair, readBasicPair } from './client-pair.js';

/** Name of the strategy at passport. Not `basic`: all strategies of a process share one registry. */
export const MERCHANT_BASIC = 'merchant-basic';

interface ClientRequest {
  readonly headers: { readonly authorization?: string };
  readonly ip?: string;
}

/** HTTP Basic with the client id and secret that also buy an access token. */
@Injectable()
export class MerchantBasicStrategy extends PassportStrategy(BasicStrategy, MERCHANT_BASIC) {
  // Passport adds both to the copy of the strategy that serves one request.
  declare success: (client: ClientPair) => void;
  declare error: (error: unknown) => void;

  constructor(private readonly admitClient: AdmitClientService) {
    super();
  }

  /** Reads the header itself: passport-http 0.3.0 cuts the password at a colon, and refuses one that begins with it. */
  override authenticate(request: ClientRequest): void {
    try {
      this.success(this.validate(request));
    } catch (error) {
      this.error(error);
    }
  }

  /** @throws HttpError 401, or 429 after too many failures. */
  validate({ headers, ip }: ClientRequest): ClientPair {
    const pair = readBasicPair(headers.authorization);
    return this.admitClient.admit(pair === null ? [] : [pair], ip ?? '');
  }
}
