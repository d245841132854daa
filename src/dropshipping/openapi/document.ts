import type { OpenAPIObject } from '@nestjs/swagger';
import { TOKEN_ROUTE } from '../auth/token-route.js';
import { healthcheckPaths } from './healthcheck.paths.js';
import { inventoryPaths } from './inventory.paths.js';
import { notificationsPaths } from './notifications.paths.js';
import { orderPaths } from './order.paths.js';
import { reservationPaths } from './reservation.paths.js';
import { schemas } from './schemas.js';
import { tokenPaths } from './token.paths.js';

/**
 * The merchant contract as we serve it. Written by hand, one file per resource: its source is G2A's contract and not our classes,
 * and the tests hold both against each other (test/openapi.e2e-spec.ts, test/support/answer-validation.ts).
 * `docs/openapi.json` is a copy, made by `node scripts/openapi.mjs --write`.
 */
export const openApiDocument: OpenAPIObject = {
  openapi: '3.1.0',
  info: {
    title: 'Keyferry: the merchant contract that G2A calls',
    version: '1.0.0',
    description: 'Every error has a stable `code`; docs/contract.md says what each means.',
  },
  security: [{ oauth2: [] }, { basic: [] }],
  paths: {
    ...tokenPaths,
    ...healthcheckPaths,
    ...reservationPaths,
    ...orderPaths,
    ...inventoryPaths,
    ...notificationsPaths,
  },
  components: {
    schemas,
    securitySchemes: {
      oauth2: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: TOKEN_ROUTE, scopes: {} } } },
      basic: { type: 'http', scheme: 'basic', description: 'The client id and secret themselves.' },
    },
  },
};
