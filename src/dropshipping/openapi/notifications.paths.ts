import type { PathsObject } from '@nestjs/swagger';
import { noContent, refusalsWithBody } from './responses.js';
import { ref } from './schemas.js';

export const notificationsPaths: PathsObject = {
  '/notifications': {
    post: {
      operationId: 'postNotifications',
      tags: ['Notifications'],
      summary: 'What G2A tells us, such as that it has switched an offer off.',
      requestBody: { required: true, content: { 'application/json': { schema: ref('Notifications') } } },
      responses: { 204: noContent('They are stored.'), ...refusalsWithBody({}) },
    },
  },
};
