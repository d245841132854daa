/** What a run has left behind; money in cents. Everything that the program says of itself is compared with what others saw. */
export interface Evidence {
  /** Written down by the customers: what each paid for, what it was answered, and every key that it was ever shown. */
  readonly notes: readonly Note[];
  /** How many of them were to come. */
  readonly customers: number;
  /** What `GET /order/{id}/inventory` shows at the end, one answer per replica. */
  readonly deliveries: readonly { readonly orderId: string; readonly answers: readonly (readonly ShownKey[])[] }[];
  /** CodesWholesale's own books, at the end. */
  readonly ledger: Ledger;
  /** Its log: requests to buy, oldest first, and questions for the history. In a long run the oldest are forgotten. */
  readonly posts: readonly Post[];
  readonly historyAnswers: readonly { readonly atMs: number; readonly status: number | null }[];
  /** What its products cost all the time, and how many pieces there were before the first sale, by CWS product id. */
  readonly market: Readonly<Record<string, { readonly openingStock: number; readonly bands: readonly Band[] }>>;
  readonly openingBalanceCents: number;
  /** CWS product ids by G2A product id. */
  readonly suppliers: Readonly<Record<string, readonly string[]>>;
  /** G2A's share of a sale. */
  readonly feePercent: number;
  /** The program's tables. */
  readonly orders: readonly OrderRow[];
  readonly items: readonly ItemRow[];
  readonly purchases: readonly PurchaseRow[];
  readonly keys: readonly KeyRow[];
  readonly alerts: readonly AlertRow[];
  /** Exit codes of replicas that ended unasked. */
  readonly ownExitCodes: readonly (number | null)[];
  readonly disturbances: { readonly kills: number; readonly freezes: number; readonly databaseRestarts: number };
}

export interface Note {
  readonly customer: number;
  readonly g2aOrderId: number;
  readonly lines: readonly { readonly g2aProductId: number; readonly quantity: number }[];
  /** Of every successful answer to one of its identical calls. */
  readonly orderIds: readonly string[];
  readonly refusals: readonly { readonly status: number }[];
  readonly seen: readonly ShownKey[];
}

export interface ShownKey {
  readonly g2aProductId: number;
  readonly id: string;
  readonly value: string;
}

export interface Ledger {
  readonly balanceCents: number;
  readonly spentCents: number;
  readonly orders: readonly LedgerOrder[];
}

export interface LedgerOrder {
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly totalCents: number;
  readonly lines: readonly {
    readonly productId: string;
    readonly quantity: number;
    readonly unitCents: number;
    readonly capCents: number | null;
    readonly codes: readonly { readonly codeId: string; readonly code: string }[];
  }[];
}

/** A request to buy; `status` is null when it was never answered. */
export interface Post {
  readonly atMs: number;
  readonly status: number | null;
  /** Null: refused before it was read. */
  readonly reference: string | null;
  readonly productId: string | null;
}

/** A unit price for these quantities; `to` is null for "and more". */
export interface Band {
  readonly cents: number;
  readonly from: number;
  readonly to: number | null;
}

export interface AlertRow {
  readonly kind: string;
  readonly subject: string;
  readonly isOpen: boolean;
  readonly lastRaisedAtMs: number;
}

export interface OrderRow {
  readonly id: string;
  readonly g2aOrderId: number;
  readonly state: string;
  readonly attentionReason: string | null;
}

export interface ItemRow {
  readonly id: string;
  readonly orderId: string;
  readonly g2aProductId: number;
  readonly quantity: number;
  readonly salePriceCents: number;
}

export interface PurchaseRow {
  readonly id: string;
  readonly orderItemId: string;
  readonly clientOrderId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly priceCapCents: number;
  readonly unitPriceCents: number | null;
  readonly state: string;
  readonly sendCount: number;
  readonly lastError: string | null;
  readonly createdAtMs: number;
}

export interface KeyRow {
  readonly id: string;
  readonly purchaseId: string;
  readonly orderItemId: string;
  readonly cwsCodeId: string;
}

export interface Violation {
  readonly rule: string;
  /** The order, purchase or code it is about. */
  readonly subject: string;
  readonly message: string;
}

/** @returns every broken promise; none when all were kept. Pure. */
export function check(evidence: Evidence): Violation[];
