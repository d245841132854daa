import { type Cents, formatCents } from '../../money/cents.js';
import {
  parseIsoDate,
  readArray,
  readCents,
  readObject,
  readOptionalText,
  readText,
  readUuid,
  type WireObject,
  WireShapeError,
} from '../../upstream/wire.js';
import type {
  PlaceOrder,
  SupplierCode,
  SupplierOrder,
  SupplierOrderLine,
  SupplierOrderStatus,
  SupplierOrderSummary,
} from '../cws.types.js';

/** The body of a purchase. The cap is always sent: it is what keeps a stale price from costing money. */
export function writeOrder({ clientOrderId, cwsProductId, quantity, unitPriceCap }: PlaceOrder): unknown {
  return {
    allowPreOrder: false,
    orderId: clientOrderId,
    // The number nearest to a decimal of two places prints as that decimal again.
    products: [{ productId: cwsProductId, price: Number(formatCents(unitPriceCap)), quantity }],
  };
}

/**
 * The answer to a purchase.
 * @throws WireShapeError also when it is not about this purchase, or costs more than allowed.
 */
export function readPlacedOrder(body: unknown, placed: PlaceOrder): SupplierOrder {
  const order = readOrder(body);
  if (order.clientOrderId !== placed.clientOrderId) throw new WireShapeError('clientOrderId', 'is not the one sent');
  const [line] = order.lines;
  if (order.lines.length !== 1 || line?.cwsProductId !== placed.cwsProductId) {
    throw new WireShapeError('products', 'is not the one product ordered');
  }
  if (line.unitPrice === null && order.totalPrice === null) throw new WireShapeError('totalPrice', 'is not told');
  if (line.unitPrice !== null && line.unitPrice > placed.unitPriceCap) {
    throw new WireShapeError('products[0].unitPrice', 'is above the cap sent');
  }
  if (order.totalPrice !== null && order.totalPrice > placed.unitPriceCap * placed.quantity) {
    throw new WireShapeError('totalPrice', 'is above the cap sent');
  }
  if (line.codes.length > placed.quantity) throw new WireShapeError('products[0].codes', 'are more than ordered');
  return order;
}

/** @throws WireShapeError */
export function readOrder(body: unknown): SupplierOrder {
  const order = readObject(body, 'body');
  const lines = readArray(order['products'], 'products');
  return { ...readOrderSummary(order, ''), lines: lines.map((line, index) => readLine(line, `products[${index}]`)) };
}

/** A page of the order history. */
interface HistoryPage {
  readonly orders: readonly SupplierOrderSummary[];
  /** Why entries of others were skipped. */
  readonly skipped: readonly string[];
  readonly continuationToken: string | null;
}

/**
 * None of ours is skipped: that an order is missing here is evidence that it was never made. One that was made by hand or by
 * another tool is nobody's business here, and must not keep us from reading our own.
 * @param ownPrefix what our own client order ids begin with.
 * @throws WireShapeError
 */
export function readOrderHistory(body: unknown, ownPrefix: string): HistoryPage {
  const answer = readObject(body, 'body');
  const orders: SupplierOrderSummary[] = [];
  const skipped: string[] = [];
  for (const [index, item] of readArray(answer['items'], 'items').entries()) {
    const order = readObject(item, `items[${index}]`);
    try {
      orders.push(readOrderSummary(order, `items[${index}].`));
    } catch (error) {
      if (!(error instanceof WireShapeError) || !isOfOthers(order['clientOrderId'], ownPrefix)) throw error;
      skipped.push(error.message);
    }
  }
  return {
    orders,
    skipped,
    // Whether the history is paged is not published.
    continuationToken: readOptionalText(answer['continuationToken'], 'continuationToken'),
  };
}

/** For sure: a reference that is no text may be ours in a form that we do not know. */
function isOfOthers(clientOrderId: unknown, ownPrefix: string): boolean {
  if (clientOrderId === undefined || clientOrderId === null) return true;
  return typeof clientOrderId === 'string' && !clientOrderId.trim().toLowerCase().startsWith(ownPrefix.toLowerCase());
}

/**
 * A code by its id. A pre-order's key comes here; whether its type changes with it is not published.
 * @throws WireShapeError
 */
export function readFetchedCode(body: unknown): SupplierCode {
  return readCode(body, 'code');
}

/** A code in an order: whatever a pre-order shows in place of its key there must not reach a customer. */
function readListedCode(value: unknown, field: string): SupplierCode {
  const code = readCode(value, field);
  if (code.kind !== 'preorder' || code.value === null) return code;
  return { ...code, value: null, placeholder: code.value };
}

/** One whose type is not known is kept as such, so that those beside it can be read. */
function readCode(value: unknown, field: string): SupplierCode {
  const code = readObject(value, field);
  const kind = readKind(code['codeType']);
  return {
    codeId: readText(code['codeId'], `${field}.codeId`),
    kind,
    value: kind === 'unknown' ? null : readOptionalText(code['code'], `${field}.code`),
    fileName: readOptionalText(code['filename'], `${field}.filename`),
  };
}

function readOrderSummary(order: WireObject, prefix: string): SupplierOrderSummary {
  return {
    cwsOrderId: readText(order['orderId'], `${prefix}orderId`),
    clientOrderId: readOptionalText(order['clientOrderId'], `${prefix}clientOrderId`),
    status: readStatus(order['status'], `${prefix}status`),
    totalPrice: readOptionalPrice(order['totalPrice'], `${prefix}totalPrice`),
    createdAt: parseIsoDate(order['createdOn']),
  };
}

function readLine(value: unknown, field: string): SupplierOrderLine {
  const line = readObject(value, field);
  return {
    cwsProductId: readUuid(line['productId'], `${field}.productId`),
    unitPrice: readOptionalPrice(line['unitPrice'], `${field}.unitPrice`),
    codes: readArray(line['codes'] ?? [], `${field}.codes`).map((code, index) =>
      readListedCode(code, `${field}.codes[${index}]`),
    ),
  };
}

function readOptionalPrice(value: unknown, field: string): Cents | null {
  return value === undefined || value === null ? null : readCents(value, field, 'up');
}

function readStatus(value: unknown, field: string): SupplierOrderStatus {
  switch (readText(value, field).toLowerCase()) {
    case 'completed':
      return 'completed';
    case 'fulfilling':
      return 'fulfilling';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
      return 'failed';
    default:
      return 'unknown';
  }
}

function readKind(value: unknown): SupplierCode['kind'] {
  switch (typeof value === 'string' ? value.toUpperCase() : undefined) {
    case 'CODE_TEXT':
      return 'text';
    case 'CODE_IMAGE':
      return 'image';
    case 'CODE_PREORDER':
    case 'CODE_PRE_ORDER':
    case 'PREORDER':
    case 'PRE_ORDER':
      return 'preorder';
    default:
      return 'unknown';
  }
}
