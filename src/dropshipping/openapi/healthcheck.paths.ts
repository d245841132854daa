import type { PathsObject } from '@nestjs/swagger';
import { noContent, refusals } from './responses.js';

export const healthcheckPaths: PathsObject = {
  '/healthcheck': {
    get: {
      operationId: 'checkHealth',
      tags: ['Health check'],
      summary: 'Whether we are there and the credentials are right.',
      responses: { 204: noContent('We are.'), ...refusals({}) },
    },
  },
};
