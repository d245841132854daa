import { randomBytes, randomUUID } from 'node:crypto';
import { type Behavior } from './behaviors.js';
import { type CwsBehavior, type CwsBehaviors } from './cws-behaviors.js';
import { type CwsSupplier } from './cws-supplier.js';
import { HttpFault } from './http-fault.js';
import { toCents, unitCents } from './wire-money.js';

/** Body of `POST /v3/orders`. A missing price is taken as "no cap", which the reference leaves open. */
export interface OrderRequest {
  orderId: string;
  allowPreOrder?: boolean;
  products: { productId: string; price?: number | null; quantity: number }[];
}

export type OrderStatus = 'Fulfilling' | 'Completed' | 'Cancelled' | 'Failed';

/** One code sold. */
export interface SoldCode {
  codeId: string;
  /** `CODE_VOUCHER` is one that nobody has heard of. */
  codeType: 'CODE_TEXT' | 'CODE_IMAGE' | 'CODE_PREORDER' | 'CODE_VOUCHER';
  code: string;
  /** What is shown in place of a pre-order's key until it is there. Such a code stays a `CODE_PREORDER`; others become texts. */
  placeholder?: string;
  filename: string;
  /** Whether the order itself shows the code, or only `/v3/codes/{codeId}`. */
  isInOrder: boolean;
  /** From when `/v3/codes/{codeId}` shows it. */
  readyAtMs: number;
}

export interface OrderLine {
  productId: string;
  name: string;
  quantity: number;
  unitCents: number;
  /** The price the buyer sent, null when none: a checker proves with it that every order had a cap. */
  capCents: number | null;
  codes: SoldCode[];
}

export interface SupplierOrder {
  orderId: string;
  clientOrderId: string;
  identifier: string;
  createdAtMs: number;
  totalCents: number;
  lines: OrderLine[];
  /** How it ends, and when; `Fulfilling` until then. */
  end: Exclude<OrderStatus, 'Fulfilling'>;
  endsAtMs: number;
  /** From when lookups and the history find it. */
  appearsAtMs: number;
}

/** Everything sold, for a checker. Money in cents. A Cancelled or Failed order takes no money, stock or codes. */
export interface Ledger {
  balanceCents: number;
  spentCents: number;
  orders: (SupplierOrder & { status: OrderStatus })[];
}

/** Asks the table of behaviors on behalf of one order. */
type Take = (name: CwsBehavior, productId?: string) => Behavior<string> | undefined;

/** Sells: checks an order, takes stock and money at once, and remembers every order and code. */
export class CwsOrders {
  private readonly orders: SupplierOrder[] = [];
  /** By CWS's id and by the client's, which may have bought more than once. */
  private readonly ordersById = new Map<string, SupplierOrder[]>();
  private readonly codes = new Map<string, { order: SupplierOrder; code: SoldCode }>();

  constructor(
    private readonly supplier: CwsSupplier,
    private readonly behaviors: CwsBehaviors,
  ) {}

  /** Buys, also when this client order id has bought before. Throws the supplier's refusals as faults. */
  place(request: OrderRequest): SupplierOrder {
    const subjects = request.products.map((wanted) => wanted.productId);
    const isInstant = this.behaviors.take('instant', { subjects }) !== undefined;
    const take: Take = (name, productId) =>
      isInstant ? undefined : this.behaviors.take(name, { subjects: productId === undefined ? subjects : [productId] });

    const lines = request.products.map((wanted) => this.priceLine(wanted, request, take));
    const totalCents = lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
    if (totalCents > this.supplier.balanceCents) throw new HttpFault(400, 10002, 'Your balance is too low.');

    const nowMs = this.supplier.nowMs();
    const order: SupplierOrder = {
      orderId: randomUUID(),
      clientOrderId: request.orderId,
      identifier: `SBX-${this.orders.length + 1}`,
      createdAtMs: nowMs,
      totalCents,
      lines,
      end: take('cancelsOrder') ? 'Cancelled' : take('failsOrder') ? 'Failed' : 'Completed',
      endsAtMs: timeAfter(nowMs, take('fulfillsAfterSeconds')),
      appearsAtMs: timeAfter(nowMs, take('appearsAfterSeconds')),
    };
    this.orders.push(order);
    for (const id of [order.orderId, order.clientOrderId]) {
      this.ordersById.set(id, [...(this.ordersById.get(id) ?? []), order]);
    }
    if (order.end === 'Completed') this.deliver(order, take);
    return order;
  }

  /** By CWS's id or by the client's; of two with the same client id the later one. 404 when unknown. */
  find(id: string): SupplierOrder {
    const nowMs = this.supplier.nowMs();
    const order = this.ordersById.get(id)?.findLast((candidate) => candidate.appearsAtMs <= nowMs);
    if (!order) throw orderNotFound(id);
    return order;
  }

  /** Orders created within [fromMs, toMs], oldest first. */
  history(fromMs: number, toMs: number): SupplierOrder[] {
    const nowMs = this.supplier.nowMs();
    return this.orders.filter(
      ({ createdAtMs, appearsAtMs }) => appearsAtMs <= nowMs && fromMs <= createdAtMs && createdAtMs <= toMs,
    );
  }

  /** A code of an order that has completed; 404/50002 otherwise. `isReady` says whether its content is there. */
  code(codeId: string): { code: SoldCode; isReady: boolean } {
    const found = this.codes.get(codeId);
    if (!found || this.status(found.order) !== 'Completed')
      throw new HttpFault(404, 50002, `Code ${codeId} not found.`);
    return { code: found.code, isReady: found.code.readyAtMs <= this.supplier.nowMs() };
  }

  status(order: SupplierOrder): OrderStatus {
    return this.supplier.nowMs() < order.endsAtMs ? 'Fulfilling' : order.end;
  }

  /** Ends all waiting of the orders with this id (fulfillment, appearance, late codes) now. */
  finish(id: string): void {
    const orders = this.ordersById.get(id);
    if (!orders) throw orderNotFound(id);
    const nowMs = this.supplier.nowMs();
    for (const order of orders) {
      order.endsAtMs = Math.min(order.endsAtMs, nowMs);
      order.appearsAtMs = Math.min(order.appearsAtMs, nowMs);
      for (const code of order.lines.flatMap((line) => line.codes)) code.readyAtMs = Math.min(code.readyAtMs, nowMs);
    }
  }

  ledger(): Ledger {
    return {
      balanceCents: this.supplier.balanceCents,
      spentCents: this.orders.reduce((sum, order) => sum + (order.end === 'Completed' ? order.totalCents : 0), 0),
      orders: this.orders.map((order) => ({ ...order, status: this.status(order) })),
    };
  }

  /** Checks one line against today's stock and price. */
  private priceLine(wanted: OrderRequest['products'][number], request: OrderRequest, take: Take): OrderLine {
    const { productId, quantity } = wanted;
    if (!Number.isInteger(quantity) || quantity < 1) throw new HttpFault(400, 40002, 'Quantity must be at least 1.');
    const product = this.supplier.product(productId);
    const sameProduct = request.products.filter((other) => other.productId === productId);
    const quantityInAll = sameProduct.reduce((sum, other) => sum + other.quantity, 0);
    if (quantityInAll > product.quantity || take('sellsOutMidOrder', productId)) {
      throw new HttpFault(400, 310003, `Not enough stock of ${productId}.`);
    }
    const cents = unitCents(product.bands, quantity);
    if (cents === undefined) throw new HttpFault(400, 40002, `No price for ${quantity} pieces of ${productId}.`);
    const capCents = typeof wanted.price === 'number' ? toCents(wanted.price) : null;
    // Which error a too low price gets is not published; any 4xx is a refusal.
    if ((capCents !== null && capCents < cents) || take('refusesPrice', productId)) {
      throw new HttpFault(400, 40010, `The price of ${productId} is no longer valid.`);
    }
    return { productId, name: product.name, quantity, unitCents: cents, capCents, codes: [] };
  }

  /** Takes money and stock and makes the codes; nobody sees them before the order has ended. */
  private deliver(order: SupplierOrder, take: Take): void {
    this.supplier.balanceCents -= order.totalCents;
    for (const line of order.lines) {
      const stock = this.supplier.product(line.productId).quantity;
      this.supplier.setProduct(line.productId, { quantity: stock - line.quantity });
      const later = take('codeComesLater', line.productId);
      const keepsType = take('preorderCodesKeepType', line.productId);
      const preorder = keepsType ?? take('preorderCodes', line.productId);
      const image = take('imageCodes', line.productId);
      const codeType = preorder ? 'CODE_PREORDER' : image ? 'CODE_IMAGE' : 'CODE_TEXT';
      line.codes = Array.from({ length: line.quantity }, () => ({
        codeId: randomUUID(),
        codeType,
        code: codeType === 'CODE_IMAGE' ? imageCode() : textCode(),
        filename: codeType === 'CODE_IMAGE' ? `${randomBytes(4).toString('hex')}.png` : '',
        isInOrder: !later && codeType === 'CODE_TEXT',
        readyAtMs: timeAfter(order.createdAtMs, preorder ?? later),
        ...(keepsType ? { placeholder: 'Available on the day of release' } : {}),
      }));
      const last = line.codes.at(-1);
      if (last && take('unknownTypeOfLastCode', line.productId)) last.codeType = 'CODE_VOUCHER';
      for (const code of line.codes) this.codes.set(code.codeId, { order, code });
    }
  }
}

/** When something delayed by a behavior happens: at once without one, never by itself when it names no seconds. */
function timeAfter(nowMs: number, behavior: Behavior<string> | undefined): number {
  return behavior ? nowMs + (behavior.seconds ?? Infinity) * 1000 : nowMs;
}

function orderNotFound(id: string): HttpFault {
  return new HttpFault(404, 30001, `Order ${id} not found.`);
}

function textCode(): string {
  const text = randomBytes(10).toString('hex').toUpperCase();
  return [text.slice(0, 5), text.slice(5, 10), text.slice(10, 15), text.slice(15)].join('-');
}

/** Not a picture anyone could view, but a PNG signature with unique bytes behind it. */
function imageCode(): string {
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(32)]).toString('base64');
}
