import type { PathsObject } from '@nestjs/swagger';
import { ITEM_ID, ITEM_IDS, ORDER_ID } from './parameters.js';
import { json, NO_STORE, noContent, refusals, refusalsWithBody } from './responses.js';
import { ref } from './schemas.js';

export const inventoryPaths: PathsObject = {
  '/order/{order_id}/inventory': {
    get: {
      operationId: 'getInventory',
      tags: ['Inventory'],
      summary: 'The keys of an order, the same on every call.',
      parameters: [ORDER_ID],
      responses: {
        200: json('One element per product; `inventory` is empty until its keys are here.', ref('Inventory'), NO_STORE),
        ...refusals({ 404: ['order_not_found'] }),
      },
    },
    delete: {
      operationId: 'returnItems',
      tags: ['Inventory'],
      summary: 'Takes items back, all or none; they are never delivered again.',
      parameters: [ORDER_ID, ITEM_IDS],
      responses: {
        204: noContent('They are returned, now or before.'),
        ...refusalsWithBody({ 404: ['order_not_found', 'item_not_found'] }),
      },
    },
  },
  '/order/{order_id}/inventory/{id}': {
    get: {
      operationId: 'getFile',
      tags: ['Inventory'],
      summary: 'The bytes of a `file` item.',
      parameters: [ORDER_ID, ITEM_ID],
      responses: {
        200: json('The file.', ref('File'), NO_STORE),
        ...refusals({ 404: ['order_not_found', 'item_not_found'] }),
      },
    },
  },
  '/order/{order_id}/inventory/{id}/account': {
    get: {
      operationId: 'getAccount',
      tags: ['Inventory'],
      summary: 'The fields of an `account` item.',
      description: 'CodesWholesale sells no accounts: so far the answer is always 404.',
      parameters: [ORDER_ID, ITEM_ID],
      responses: {
        200: json('The account.', ref('Account'), NO_STORE),
        ...refusals({ 404: ['item_not_found'] }),
      },
    },
  },
};
