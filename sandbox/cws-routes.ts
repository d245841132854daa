import { type FastifyInstance } from 'fastify';
import { type CwsOrders, type OrderRequest, type SoldCode, type SupplierOrder } from './cws-orders.js';
import { type CwsBehavior } from './cws-behaviors.js';
import {
  type CwsSupplier,
  type ProductChange,
  type ProductFilter,
  renderProduct,
  type SupplierSettings,
} from './cws-supplier.js';
import { HttpFault } from './http-fault.js';
import { fields } from './sandbox-server.js';
import { type Traffic } from './traffic.js';
import { toCents, toWire } from './wire-money.js';

type Query = Record<string, string | undefined>;

/** The routes of CodesWholesale's API v3. */
export function registerCwsRoutes(
  api: FastifyInstance,
  supplier: CwsSupplier,
  orders: CwsOrders,
  traffic: Traffic<CwsBehavior>,
): void {
  api.get<{ Querystring: Query }>('/v3/products', (request) => {
    // The continuation token is the first request's query with the place to go on from.
    const { continuationToken } = request.query;
    if (continuationToken !== undefined && traffic.behaviors.take('expiresContinuation')) {
      throw new HttpFault(400, 400, 'The continuationToken has expired.');
    }
    const query: Query = continuationToken === undefined ? request.query : readContinuationToken(continuationToken);
    const asked = query['productIds']?.split(',');
    if (asked !== undefined && traffic.behaviors.take('refusesProduct', { subjects: asked })) {
      throw new HttpFault(404, 20001, 'A product is not in the price list.');
    }
    const { items, nextCursor } = supplier.page(readFilter(query), Number(query['cursor'] ?? 0));
    return {
      continuationToken: nextCursor === null ? null : writeContinuationToken({ ...query, cursor: String(nextCursor) }),
      items: items.map((product) => {
        const isMalformed = traffic.behaviors.take('malformedProduct', { subjects: [product.productId] });
        return isMalformed ? { ...renderProduct(product), quantity: 'unknown', prices: null } : renderProduct(product);
      }),
    };
  });

  api.get<{ Params: { productId: string } }>('/v3/products/:productId', (request) =>
    renderProduct(supplier.product(request.params.productId)),
  );

  api.post<{ Body: OrderRequest }>('/v3/orders', { schema: orderSchema }, async (request, reply) => {
    const order = orders.place(request.body);
    const occasion = { subjects: order.lines.map((line) => line.productId), route: 'POST /v3/orders' };
    const lost = traffic.behaviors.take('answersAfterCommitNever', occasion);
    if (lost) return traffic.loseAnswer(request, reply, lost.hangs);
    if (traffic.behaviors.take('answers500AfterCommit', occasion)) throw new HttpFault(500, 90001, 'Internal error.');
    return renderOrder(order, orders, request.host);
  });

  api.get<{ Querystring: Query }>('/v3/orders', (request) => {
    if (traffic.behaviors.take('hasNoHistory')) throw new HttpFault(404, 404, 'This account has no order history.');
    const items: object[] = orders
      .history(readTime(request.query, 'startFrom') ?? 0, readTime(request.query, 'endOn') ?? Infinity)
      .map((order) => renderOrderSummary(order, orders));
    const isMalformed = traffic.behaviors.take('malformedHistoryEntry');
    return { items: isMalformed ? [{ clientOrderId: null, status: null, totalPrice: 'free' }, ...items] : items };
  });

  api.get<{ Params: { id: string } }>('/v3/orders/:id', (request) =>
    renderOrder(orders.find(request.params.id), orders, request.host),
  );

  api.get<{ Params: { id: string } }>('/v3/orders/:id/invoice', (request) => {
    const order = orders.find(request.params.id);
    const total = toWire(order.totalCents);
    return { invoiceNumber: `INV/${order.identifier}`, orderId: order.orderId, totalPrice: total, currency: 'EUR' };
  });

  api.get<{ Params: { codeId: string } }>('/v3/codes/:codeId', (request) => {
    const { code, isReady } = orders.code(request.params.codeId);
    const becomesText = code.codeType === 'CODE_PREORDER' && code.placeholder === undefined;
    const codeType = isReady && becomesText ? 'CODE_TEXT' : code.codeType;
    return renderCode({ ...code, codeType }, isReady);
  });

  api.get('/v3/accounts/current', () => {
    const currentBalance = toWire(supplier.balanceCents);
    return {
      fullName: 'Sandbox Account',
      email: 'sandbox@example.com',
      currentBalance,
      currentCredit: 0,
      totalToUse: currentBalance,
    };
  });
}

/** The control routes only this server has. */
export function registerCwsControl(app: FastifyInstance, supplier: CwsSupplier, orders: CwsOrders): void {
  app.post<{ Body: (ProductChange & { productId: string })[] }>(
    '/_sandbox/products',
    { schema: productChangesSchema, bodyLimit: MAX_CHANGES_BYTES },
    (request, reply) => {
      for (const { productId, ...change } of request.body) supplier.setProduct(productId, change);
      return reply.code(204).send();
    },
  );
  app.post<{ Params: { productId: string }; Body: ProductChange }>(
    '/_sandbox/products/:productId',
    { schema: productChangeSchema },
    (request) => renderProduct(supplier.setProduct(request.params.productId, request.body)),
  );
  app.post<{ Body: Partial<SupplierSettings> & { balance?: number } }>(
    '/_sandbox/settings',
    { schema: settingsSchema },
    (request) => {
      const { balance, ...settings } = request.body;
      if (balance !== undefined) supplier.balanceCents = toCents(balance);
      return { ...Object.assign(supplier.settings, settings), balance: toWire(supplier.balanceCents) };
    },
  );
  app.post<{ Params: { id: string } }>('/_sandbox/orders/:id/finish', (request, reply) => {
    orders.finish(request.params.id);
    return reply.code(204).send();
  });
  app.get('/_sandbox/ledger', () => orders.ledger());
}

const orderSchema = fields(
  {
    orderId: { type: 'string', minLength: 1 },
    allowPreOrder: { type: 'boolean' },
    products: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['productId', 'quantity'],
        properties: {
          productId: { type: 'string' },
          price: { type: ['number', 'null'] },
          quantity: { type: 'number' },
        },
      },
    },
  },
  ['orderId', 'products'],
);

const band = {
  type: 'object',
  required: ['value', 'from', 'to'],
  properties: {
    value: { type: 'number', minimum: 0 },
    from: { type: 'integer', minimum: 1 },
    to: { type: ['integer', 'null'] },
  },
};

const productChangeProperties = {
  quantity: { type: 'integer', minimum: 0 },
  prices: { type: 'array', items: band },
  releaseDate: { type: 'string' },
  gone: { type: 'boolean' },
};

const productChangeSchema = fields(productChangeProperties);

const productChangesSchema = {
  body: {
    type: 'array',
    items: {
      type: 'object',
      properties: { productId: { type: 'string' }, ...productChangeProperties },
      required: ['productId'],
      additionalProperties: false,
    },
  },
};

/** Some 100,000 changes. */
const MAX_CHANGES_BYTES = 32 * 1024 * 1024;

const settingsSchema = fields({
  balance: { type: 'number' },
  pageSize: { type: 'integer', minimum: 1 },
  updatedSinceInclusive: { type: 'boolean' },
  clockOffsetMs: { type: 'integer' },
});

function readFilter(query: Query): ProductFilter {
  const updatedSinceMs = readTime(query, 'updatedSince');
  const createdSinceMs = readTime(query, 'createdSince');
  if (updatedSinceMs !== undefined && createdSinceMs !== undefined) {
    throw new HttpFault(400, 400, 'Give updatedSince or createdSince, not both.');
  }
  const days = query['inStockDaysAgo'];
  // Accepted and checked; the sandbox keeps no history of stock to filter by.
  if (days !== undefined && !(/^\d+$/.test(days) && Number(days) <= 60)) {
    throw new HttpFault(400, 400, 'inStockDaysAgo must be 0 to 60.');
  }
  const productIds = query['productIds'] === undefined ? undefined : new Set(query['productIds'].split(','));
  return { productIds, updatedSinceMs, createdSinceMs, platform: query['platform'], region: query['region'] };
}

function readTime(query: Query, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new HttpFault(400, 400, `${name} must be an ISO 8601 time.`);
  return ms;
}

function writeContinuationToken(query: Query): string {
  return Buffer.from(JSON.stringify(query)).toString('base64url');
}

function readContinuationToken(token: string): Query {
  try {
    const query: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof query === 'object' && query !== null && 'cursor' in query) return query as Query;
  } catch {
    // Falls through to the refusal.
  }
  throw new HttpFault(400, 400, 'Unknown continuationToken.');
}

function renderOrder(order: SupplierOrder, orders: CwsOrders, host: string): unknown {
  const isCompleted = orders.status(order) === 'Completed';
  return {
    ...renderOrderSummary(order, orders),
    identifier: order.identifier,
    products: order.lines.map((line) => ({
      productId: line.productId,
      name: line.name,
      unitPrice: toWire(line.unitCents),
      codes: isCompleted ? line.codes.map((code) => renderCode(code, code.isInOrder)) : [],
      links: [],
    })),
    links: [{ rel: 'self', href: `http://${host}/v3/orders/${encodeURIComponent(order.clientOrderId)}` }],
  };
}

function renderOrderSummary(order: SupplierOrder, orders: CwsOrders) {
  return {
    orderId: order.orderId,
    clientOrderId: order.clientOrderId,
    status: orders.status(order),
    totalPrice: toWire(order.totalCents),
    createdOn: new Date(order.createdAtMs).toISOString(),
  };
}

/** An image or preorder code that is not there yet is null, a text code empty: both were seen. */
function renderCode(code: SoldCode, isShown: boolean): unknown {
  const absent = code.placeholder ?? (code.codeType === 'CODE_TEXT' ? '' : null);
  return {
    codeId: code.codeId,
    codeType: code.codeType,
    code: isShown ? code.code : absent,
    filename: code.filename,
    links: [],
  };
}
