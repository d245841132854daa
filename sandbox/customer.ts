import { setTimeout as sleep } from 'node:timers/promises';

/** What the merchant answered. A 2xx has `body`, anything else `error`. */
export type Answer<T> = { ok: true; status: number; body: T } | Refusal;

export interface Refusal {
  ok: false;
  status: number;
  error: { code: string; message: string; order_id?: string };
  /** From the header `Retry-After`; null when there is none. */
  retryAfterSeconds: number | null;
}

export interface StockItem {
  product_id: number;
  inventory_size: number;
}

export interface InventoryItem {
  id: string;
  value: string;
  kind: 'text' | 'file' | 'account';
}

export type ProductInventory = StockItem & { inventory: InventoryItem[] };

export interface ReservationBody {
  reservation_id: string;
  stock: StockItem[];
}

export interface OrderBody {
  order_id: string;
  stock: ProductInventory[];
}

export interface WantedProduct {
  productId: number;
  quantity: number;
  /** Decimal string in EUR, sent as `additional_data.unit_price`. */
  unitPrice?: string;
}

export interface CustomerOptions {
  /** Where the merchant contract is served. */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** How long an answer is waited for. Default 9000, as G2A does. */
  answerTimeoutMs?: number;
}

const EXPIRY_MARGIN_MS = 5_000;

let lastG2aOrderId = 0;

/** A G2A order id (16 digits) that no earlier run and no other call has used. */
export function nextG2aOrderId(): number {
  lastG2aOrderId = Math.max(lastG2aOrderId + 1, Date.now() * 1000);
  return lastG2aOrderId;
}

/** G2A as the merchant sees it: reserves, orders and fetches through the merchant contract and nothing else. */
export class Customer {
  private accessToken: { value: string; expiresAtMs: number } | undefined;

  constructor(private readonly options: CustomerOptions) {}

  /** The access token, fetched when there is none or it is about to expire. Throws when it is refused. */
  async token(): Promise<string> {
    if (this.accessToken && Date.now() < this.accessToken.expiresAtMs) return this.accessToken.value;
    const query = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.options.clientId,
      client_secret: this.options.clientSecret,
    });
    const answer = await this.send<{ access_token: string; expires_in: number }>(
      'GET',
      `/oauth/token?${query.toString()}`,
    );
    if (!answer.ok) throw new Error(`The merchant refused a token: ${answer.status} ${answer.error.message}`);
    const { access_token: value, expires_in: lifeSeconds } = answer.body;
    this.accessToken = { value, expiresAtMs: Date.now() + lifeSeconds * 1000 - EXPIRY_MARGIN_MS };
    return value;
  }

  /** `POST /reservation`. */
  reserve(wanted: readonly WantedProduct[]): Promise<Answer<ReservationBody>> {
    const body = wanted.map(({ productId, quantity, unitPrice }) => ({
      product_id: productId,
      quantity,
      ...(unitPrice === undefined ? {} : { additional_data: { unit_price: unitPrice } }),
    }));
    return this.call('POST', '/reservation', body);
  }

  /** `PUT /reservation/{id}`. */
  renew(reservationId: string): Promise<Answer<ReservationBody>> {
    return this.call('PUT', `/reservation/${reservationId}`);
  }

  /** `DELETE /reservation/{id}`. */
  release(reservationId: string): Promise<Answer<undefined>> {
    return this.call('DELETE', `/reservation/${reservationId}`);
  }

  /** `POST /order`: the customer has paid. */
  order(reservationId: string, g2aOrderId: number = nextG2aOrderId()): Promise<Answer<OrderBody>> {
    return this.call('POST', '/order', { reservation_id: reservationId, g2a_order_id: g2aOrderId });
  }

  /** `GET /order/{id}/inventory`. */
  inventory(orderId: string): Promise<Answer<ProductInventory[]>> {
    return this.call('GET', `/order/${orderId}/inventory`);
  }

  /** Fetches the inventory until it has `count` items over all products; rejects after `timeoutMs`, saying what it saw last. */
  async waitForKeys(orderId: string, count: number, timeoutMs: number): Promise<InventoryItem[]> {
    const giveUpAtMs = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.inventory(orderId);
      const items = answer.ok ? answer.body.flatMap((product) => product.inventory) : [];
      if (items.length >= count) return items;
      if (Date.now() >= giveUpAtMs) {
        throw new Error(`After ${timeoutMs} ms: status ${answer.status}, ${items.length} of ${count} keys.`);
      }
      await sleep(100);
    }
  }

  /** Any route of the contract with the access token; a 401 fetches a new one and repeats once. */
  async call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const answer = await this.send<T>(method, path, body, await this.token());
    if (answer.status !== 401) return answer;
    this.accessToken = undefined;
    return this.send(method, path, body, await this.token());
  }

  private async send<T>(method: string, path: string, body?: unknown, token?: string): Promise<Answer<T>> {
    const response = await fetch(new URL(path, this.options.baseUrl), {
      method,
      signal: AbortSignal.timeout(this.options.answerTimeoutMs ?? 9_000),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    if (response.ok) return { ok: true, status: response.status, body: parsed as T };
    const retryAfter = response.headers.get('retry-after');
    return {
      ok: false,
      status: response.status,
      error: (parsed ?? { code: '', message: '' }) as Refusal['error'],
      retryAfterSeconds: retryAfter === null ? null : Number(retryAfter),
    };
  }
}
