import type { ParameterObject } from '@nestjs/swagger';

/** Up to the length of an id in G2A's contract. */
const id = { type: 'string', minLength: 1, maxLength: 36 };

export const RESERVATION_ID: ParameterObject = { name: 'reservation_id', in: 'path', required: true, schema: id };

export const ORDER_ID: ParameterObject = {
  name: 'order_id',
  in: 'path',
  required: true,
  description: 'The `order_id` that we answered, or the digits of the G2A order id.',
  schema: id,
};

export const ITEM_ID: ParameterObject = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The `id` of an item in the inventory.',
  schema: id,
};

/** `id[]=a&id[]=b` */
export const ITEM_IDS: ParameterObject = {
  name: 'id[]',
  in: 'query',
  required: true,
  style: 'form',
  explode: true,
  description: 'Items of this order, once each.',
  schema: { type: 'array', minItems: 1, maxItems: 100, items: id },
};
