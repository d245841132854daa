import type { ReferenceObject, SchemaObject } from '@nestjs/swagger';

/** Largest id that JSON.parse leaves exact. */
const MAX_ID = Number.MAX_SAFE_INTEGER;
/** Text of digits that is read as an id: at most the sixteen of MAX_ID. */
const ID_DIGITS = '^[1-9]\\d{0,15}$';
const MAX_ITEMS = 100;
const MAX_QUANTITY = 10_000;

export function ref(name: keyof typeof schemas): ReferenceObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object that we answer: nothing but these fields, all of them there unless named as optional. */
export function answered(properties: SchemaObject['properties'] & {}, optional: readonly string[] = []): SchemaObject {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** An object that we are sent: other fields are ignored. */
export function sent(properties: SchemaObject['properties'] & {}, required: readonly string[]): SchemaObject {
  return { type: 'object', properties, required: [...required] };
}

const id: SchemaObject = { type: 'integer', format: 'int64', minimum: 1, maximum: MAX_ID };
const sentId: SchemaObject = {
  description: `A whole number from 1 to ${MAX_ID}, also as text. Larger ones are refused: JSON would turn them into another id.`,
  oneOf: [id, { type: 'string', pattern: ID_DIGITS }],
};
const uuid: SchemaObject = { type: 'string', format: 'uuid' };
const text: SchemaObject = { type: 'string' };
const count: SchemaObject = {
  type: 'integer',
  minimum: 0,
  description: 'What others can still reserve of the product.',
};
const price: SchemaObject = {
  type: 'string',
  examples: ['5.98'],
  description: 'Decimal text; kept, never computed with.',
};

/** What the routes name by reference. */
export const schemas = {
  Token: answered({
    access_token: text,
    token_type: { type: 'string', enum: ['bearer'] },
    expires_in: { type: 'integer', minimum: 1, description: 'Seconds.' },
  }),
  TokenRequest: sent(
    { grant_type: { type: 'string', enum: ['client_credentials'] }, client_id: text, client_secret: text },
    ['grant_type'],
  ),
  ReservationRequest: {
    type: 'array',
    minItems: 1,
    maxItems: MAX_ITEMS,
    description: 'A product named twice is added up.',
    items: sent(
      {
        product_id: sentId,
        quantity: { type: 'integer', minimum: 1, maximum: MAX_QUANTITY },
        additional_data: sent({ unit_price: price, auction_base_price: price }, []),
      },
      ['product_id', 'quantity'],
    ),
  },
  Reservation: answered({
    reservation_id: uuid,
    stock: { type: 'array', minItems: 1, items: answered({ product_id: id, inventory_size: count }) },
  }),
  OrderRequest: sent({ reservation_id: { type: 'string', minLength: 1, maxLength: 36 }, g2a_order_id: sentId }, [
    'reservation_id',
    'g2a_order_id',
  ]),
  Order: answered({ order_id: uuid, stock: { $ref: '#/components/schemas/Inventory' } }),
  Inventory: {
    type: 'array',
    minItems: 1,
    description: 'One element per product of the order.',
    items: answered({
      product_id: id,
      inventory_size: count,
      inventory: { type: 'array', items: { $ref: '#/components/schemas/InventoryItem' } },
    }),
  },
  InventoryItem: answered({
    id: uuid,
    value: { type: 'string', description: 'The key; empty for a file and an account, which have routes of their own.' },
    kind: { type: 'string', enum: ['text', 'file', 'account'] },
  }),
  File: answered({
    data: { type: 'string', format: 'byte', description: 'Base64.' },
    fileName: { type: 'string', examples: ['key.jpg'] },
    mimeType: { type: 'string', enum: ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'application/pdf'] },
  }),
  Account: answered({
    username: text,
    password: text,
    email: text,
    emailPassword: text,
    optional: { type: 'array', items: answered({ label: text, details: text }) },
  }),
  Notifications: {
    type: 'array',
    minItems: 1,
    maxItems: MAX_ITEMS,
    description:
      'An `auction_deactivated` needs `date` and `data`, which names the offer or the auction. Of other types only ' +
      '`notification_type` is looked at.',
    items: sent(
      {
        notification_type: { type: 'string', pattern: '^[\\x20-\\x7e]{1,64}$', examples: ['auction_deactivated'] },
        date: { type: 'string', format: 'date-time' },
        data: sent(
          { message: text, auction_id: sentId, offer_id: { type: 'string', minLength: 1, maxLength: 36 } },
          [],
        ),
      },
      ['notification_type'],
    ),
  },
  Error: answered({
    code: { type: 'string', description: 'Stable; what a program may rely on.' },
    message: { type: 'string', description: 'For people.' },
  }),
  OrderConflict: answered(
    {
      code: text,
      message: text,
      order_id: { ...uuid, description: 'The existing order, for a repeat with the same g2a_order_id.' },
    },
    ['order_id'],
  ),
  TokenError: answered({
    code: text,
    message: text,
    error: { type: 'string', description: 'RFC 6749, section 5.2.' },
    error_description: text,
  }),
} satisfies Record<string, SchemaObject>;
