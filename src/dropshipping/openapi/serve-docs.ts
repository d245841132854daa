import type { INestApplication } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import { openApiDocument } from './document.js';

/**
 * Serves the contract for people at `/docs` and as JSON at `/docs-json`, to everyone: it tells nothing secret. The page's scripts
 * come from this server too. To be called once, before the application is initialized or listens.
 */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, openApiDocument, {
    raw: ['json'],
    customSiteTitle: 'Keyferry',
    // No badge from validator.swagger.io.
    swaggerOptions: { validatorUrl: 'none' },
  });
}
