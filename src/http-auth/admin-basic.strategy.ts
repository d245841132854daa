import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { BasicStrategy } from 'passport-http';
import { AppConfig } from '../config/app-config.js';
import { decodeBasicHeader } from './basic-header.js';
import { safeEqualsCredentials } from './safe-equals.js';

/** Name of the strategy at passport. */
export const ADMIN_STRATEGY = 'admin-basic';

/** The person behind the request. */
export interface AdminUser {
  readonly name: string;
}

interface WithHeaders {
  readonly headers: { readonly authorization?: string };
}

/** Knows the one administrator, ADMIN_USERNAME with ADMIN_PASSWORD. */
@Injectable()
export class AdminBasicStrategy extends PassportStrategy(BasicStrategy, ADMIN_STRATEGY) {
  // Passport adds both to the copy of the strategy that serves one request.
  declare success: (user: AdminUser) => void;
  declare fail: () => void;

  constructor(private readonly config: AppConfig) {
    super();
  }

  /** Reads the header itself: passport-http 0.3.0 cuts the password at a colon, and refuses one that begins with it. */
  override authenticate(request: WithHeaders): void {
    const user = this.validate(request.headers.authorization);
    if (user === null) this.fail();
    else this.success(user);
  }

  validate(header: string | undefined): AdminUser | null {
    const { adminUsername: username, adminPassword: password } = this.config;
    const presented = decodeBasicHeader(header);
    if (presented === undefined || password === undefined) return null;
    return safeEqualsCredentials(presented, { username, password }) ? { name: username } : null;
  }
}
