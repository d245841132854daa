import { randomBytes } from 'node:crypto';
import { type FastifyInstance } from 'fastify';

export interface TokenOptions {
  clientId: string;
  clientSecret: string;
  tokenLifeSeconds: number;
}

/** OAuth2 client credentials with one token alive at a time: asking again returns the same one with its remaining life. */
export class TokenIssuer {
  private token = '';
  private expiresAtMs = 0;

  constructor(private readonly options: TokenOptions) {}

  issue(nowMs: number): { access_token: string; token_type: 'bearer'; expires_in: number } {
    if (this.remainingSeconds(nowMs) < 1) {
      this.token = randomBytes(24).toString('hex');
      this.expiresAtMs = nowMs + this.options.tokenLifeSeconds * 1000;
    }
    return { access_token: this.token, token_type: 'bearer', expires_in: this.remainingSeconds(nowMs) };
  }

  accepts(authorization: string | undefined, nowMs: number): boolean {
    return nowMs < this.expiresAtMs && authorization?.toLowerCase() === `bearer ${this.token}`;
  }

  knows(clientId: string | undefined, clientSecret: string | undefined): boolean {
    return clientId === this.options.clientId && clientSecret === this.options.clientSecret;
  }

  /** Ends the token before its time. */
  revoke(): void {
    this.expiresAtMs = 0;
  }

  private remainingSeconds(nowMs: number): number {
    return Math.floor((this.expiresAtMs - nowMs) / 1000);
  }
}

export const TOKEN_ROUTE = 'POST /oauth/token';

type Credentials = Partial<Record<'grant_type' | 'client_id' | 'client_secret', string>>;

/** `POST /oauth/token` with the credentials in the query, a form or JSON. */
export function registerTokenRoute(api: FastifyInstance, issuer: TokenIssuer): void {
  api.post<{ Querystring: Credentials; Body: Credentials | undefined }>('/oauth/token', async (request, reply) => {
    const given = { ...request.query, ...request.body };
    if (given.grant_type !== 'client_credentials') {
      return reply.code(400).send({ error: 'unsupported_grant_type', error_description: 'Use client_credentials.' });
    }
    if (!issuer.knows(given.client_id, given.client_secret)) {
      return reply.code(401).send({ error: 'invalid_client', error_description: 'Bad client credentials.' });
    }
    return issuer.issue(Date.now());
  });
}
