import type { PathsObject } from '@nestjs/swagger';
import { json, refusal, refusalsWithBody } from './responses.js';
import { ref } from './schemas.js';

export const orderPaths: PathsObject = {
  '/order': {
    post: {
      operationId: 'createOrder',
      tags: ['Order'],
      summary: 'The customer has paid for a reservation.',
      description: 'Keys are bought only now: `inventory` is empty, and the inventory route has them later.',
      requestBody: { required: true, content: { 'application/json': { schema: ref('OrderRequest') } } },
      responses: {
        202: json('The order, without keys yet.', ref('Order')),
        ...refusalsWithBody({ 404: ['reservation_not_found'], 410: ['reservation_expired'] }),
        409: refusal(409, ['order_exists', 'g2a_order_id_taken'], ref('OrderConflict')),
      },
    },
  },
};
