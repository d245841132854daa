/** Why a call was turned down. `code` is stable and documented; callers may rely on it. */
export abstract class OrdersError extends Error {
  abstract readonly code: string;
  /** HTTP status of the answer. */
  abstract readonly status: number;
  /** Seconds after which trying again may help. */
  readonly retryAfterSeconds?: number;
}

export class ProductNotFoundError extends OrdersError {
  readonly code = 'product_not_found';
  readonly status = 404;
  constructor(g2aProductId: number) {
    super(`product ${g2aProductId} is not sold here`);
  }
}

export class InsufficientStockError extends OrdersError {
  readonly code = 'insufficient_stock';
  readonly status = 400;
  constructor(g2aProductId: number, available: number) {
    super(`product ${g2aProductId}: only ${available} available`);
  }
}

/** There is stock, but every supplier costs more than the price shown on G2A brings. */
export class UnprofitableError extends OrdersError {
  readonly code = 'price_too_low';
  readonly status = 400;
  constructor(g2aProductId: number) {
    super(`product ${g2aProductId} cannot be sold at the current price`);
  }
}

/** The supplier account cannot pay for this beside what is promised already. */
export class BalanceTooLowError extends OrdersError {
  readonly code = 'balance_too_low';
  readonly status = 400;
  constructor() {
    super('nothing more can be reserved at the moment');
  }
}

/** The supplier's state is older than we may sell on. */
export class StockUnknownError extends OrdersError {
  readonly code = 'stock_unknown';
  readonly status = 503;
  override readonly retryAfterSeconds = 30;
  constructor(g2aProductId: number) {
    super(`stock of product ${g2aProductId} is not known at the moment`);
  }
}

/** Costs arrive in a currency whose exchange rate is missing, or too old to sell by. */
export class NoExchangeRateError extends OrdersError {
  readonly code = 'no_exchange_rate';
  readonly status = 503;
  override readonly retryAfterSeconds = 300;
  constructor() {
    super('no recent exchange rate is known');
  }
}

export class ServicePausedError extends OrdersError {
  readonly code = 'service_paused';
  readonly status = 503;
  override readonly retryAfterSeconds = 300;
  constructor() {
    super('selling is paused');
  }
}

export class ReservationNotFoundError extends OrdersError {
  readonly code = 'reservation_not_found';
  readonly status = 404;
  constructor() {
    super('no such reservation');
  }
}

export class ReservationExpiredError extends OrdersError {
  readonly code = 'reservation_expired';
  readonly status = 410;
  constructor() {
    super('the reservation has expired');
  }
}

/** A reservation that has become an order can neither be renewed nor released. */
export class ReservationOrderedError extends OrdersError {
  readonly code = 'reservation_ordered';
  readonly status = 400;
  constructor() {
    super('the reservation has become an order');
  }
}

/** The reservation is an order already; `orderId` is told to the caller that placed it. */
export class OrderExistsError extends OrdersError {
  readonly code = 'order_exists';
  readonly status = 409;
  constructor(readonly orderId?: string) {
    super('an order already exists for this reservation');
  }
}

export class G2aOrderIdTakenError extends OrdersError {
  readonly code = 'g2a_order_id_taken';
  readonly status = 409;
  constructor() {
    super('this G2A order id belongs to another reservation');
  }
}

export class OrderNotFoundError extends OrdersError {
  readonly code = 'order_not_found';
  readonly status = 404;
  constructor() {
    super('no such order');
  }
}

/** Also for an item of another kind than the route hands out, and for one that was returned. */
export class ItemNotFoundError extends OrdersError {
  readonly code = 'item_not_found';
  readonly status = 404;
  constructor() {
    super('no such item in this order');
  }
}

/** A person's decision about an order that does not wait for one. */
export class OrderNotWaitingError extends OrdersError {
  readonly code = 'order_not_waiting';
  readonly status = 409;
  constructor(reason: string) {
    super(`${reason}: only an order that waits for keys and for a person can be reopened`);
  }
}

/** A person's decision to give up a purchase that may still be waited for. */
export class PurchaseNotWaitingError extends OrdersError {
  readonly code = 'purchase_not_waiting';
  readonly status = 409;
  constructor(reference: string) {
    super(
      `purchase ${reference} cannot be given up: only one of this order whose outcome is unknown, or that CWS has accepted, and not delivered by the order's deadline, and that is no pre-order`,
    );
  }
}

/** A person's decision to give up purchases whose request may still arrive at CWS, and be paid for. */
export class PurchaseNotSettledError extends OrdersError {
  readonly code = 'purchase_not_waiting';
  readonly status = 409;
  constructor(purchases: readonly { readonly clientOrderId: string; readonly settlesAt: Date }[]) {
    const texts = purchases.map(
      ({ clientOrderId, settlesAt }) =>
        `${clientOrderId} is not given up: its request may still arrive until ${settlesAt.toISOString()}`,
    );
    super(`${texts.join('; ')}. Run this again then`);
  }
}

/** A person's decision about an order that is settled already, in another way. */
export class OrderSettledError extends OrdersError {
  readonly code = 'order_settled';
  readonly status = 409;
  constructor(state: string) {
    super(`the order is ${state}: there is nothing to resolve`);
  }
}
