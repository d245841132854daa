import type { Evidence, LedgerOrder } from './check.mjs';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object | null ? Mutable<T[K]> : T[K] };
export type Draft = Mutable<Evidence>;

export const PRODUCT = 10000000000001;
const SUPPLIER = 'supplier-1';
/** When everything happened; the person was called a second later. */
const AT_MS = 1_800_000_000_000;
const CALLED_AT_MS = AT_MS + 1_000;

const REFUSAL = 'cws POST /v3/orders: HTTP 400, code 310003, Not enough stock.';

/** Has the second customer's only purchase be refused as sold out, and a person told so, with these words instead. */
export function notBought(run: Draft, { market = ASKED, failure = REFUSAL } = {}): void {
  Object.assign(run.purchases[3]!, { state: 'dead', lastError: REFUSAL });
  run.posts.push({ ...run.posts.splice(3, 1)[0]!, status: 400, atMs: CALLED_AT_MS - 100 });
  run.orders[1]!.attentionReason =
    `product ${PRODUCT}: 1 of 1 key could not be bought in time: ${market}` +
    (failure === '' ? '' : `; last try: ${failure}`);
}

/** What the only supplier asks, and what the sale leaves of 7.00 EUR after 15 %. */
const ASKED = 'the cheapest supplier in stock asks 5.00 EUR, the sale leaves 5.95 EUR';

/** Has all customers be as many as a whole run has, so that it must have shown something. */
export function makeWhole(run: Draft): void {
  run.customers = 300;
  for (let customer = 5; customer < 300; customer += 1) {
    const id = `order-${customer}`;
    run.notes.push({ ...structuredClone(run.notes[4]!), customer, g2aOrderId: 70 + customer, orderIds: [id] });
  }
}

/** Two customers: one has both of her keys, of which the second came after a canceled purchase; one was told the truth about why not. */
export function goodRun(): Draft {
  const sold = (number: number, reference: string, status = 'Completed'): Mutable<LedgerOrder> => ({
    orderId: `cws-${number}`,
    clientOrderId: reference,
    status,
    createdAtMs: AT_MS,
    totalCents: 500,
    lines: [
      {
        productId: SUPPLIER,
        quantity: 1,
        unitCents: 500,
        capCents: 500,
        codes: status === 'Completed' ? [{ codeId: `code-${number}`, code: `VALUE-${number}` }] : [],
      },
    ],
  });
  const purchase = (number: number, item: string, state: string) => ({
    id: `purchase-${number}`,
    orderItemId: item,
    clientOrderId: `KF-${number}`,
    cwsProductId: SUPPLIER,
    quantity: 1,
    priceCapCents: 500,
    unitPriceCents: state === 'completed' ? 500 : null,
    state,
    sendCount: 1,
    lastError: state === 'dead' ? 'CWS: cancelled' : null,
    createdAtMs: AT_MS + number,
  });
  const note = (customer: number, orderIds: string[], quantity: number, seen: Draft['notes'][number]['seen'] = []) => ({
    customer,
    g2aOrderId: 70 + customer,
    lines: [{ g2aProductId: PRODUCT, quantity }],
    orderIds,
    refusals: [],
    seen,
  });
  const shown = () =>
    [1, 3].map((number) => ({ g2aProductId: PRODUCT, id: `key-${number}`, value: `VALUE-${number}` }));
  return {
    notes: [
      note(0, ['a', 'a'], 2, [shown()[0]!]),
      ...['b', 'c', 'd', 'e'].map((orderId, index) => note(index + 1, [orderId], 1)),
    ],
    customers: 5,
    deliveries: [
      { orderId: 'a', answers: [shown(), shown()] },
      { orderId: 'b', answers: [[], []] },
      ...['c', 'd', 'e'].map((orderId, index) => {
        const keys = () => [{ g2aProductId: PRODUCT, id: `key-${5 + index}`, value: `VALUE-${5 + index}` }];
        return { orderId, answers: [keys(), keys()] };
      }),
    ],
    ledger: {
      balanceCents: 7_500,
      spentCents: 2_500,
      orders: [
        sold(1, 'KF-1'),
        sold(2, 'KF-2', 'Cancelled'),
        sold(3, 'KF-3'),
        sold(5, 'KF-5'),
        sold(6, 'KF-6'),
        sold(7, 'KF-7'),
      ],
    },
    posts: [1, 2, 3, 4, 5, 6, 7].map((number) => ({
      atMs: AT_MS,
      // Nobody knows what became of the fourth.
      status: number === 4 ? null : 200,
      reference: `KF-${number}`,
      productId: SUPPLIER,
    })),
    historyAnswers: [{ atMs: AT_MS, status: 200 }],
    market: { [SUPPLIER]: { openingStock: 1_000, bands: [{ cents: 500, from: 1, to: null }] } },
    openingBalanceCents: 10_000,
    suppliers: { [PRODUCT]: [SUPPLIER] },
    feePercent: 15,
    orders: [
      { id: 'a', g2aOrderId: 70, state: 'completed', attentionReason: null },
      {
        id: 'b',
        g2aOrderId: 71,
        state: 'needs_attention',
        attentionReason: 'purchase KF-4 has no known outcome, sent once; nothing is bought again on a guess',
      },
      ...['c', 'd', 'e'].map((id, index) => ({
        id,
        g2aOrderId: 72 + index,
        state: 'completed',
        attentionReason: null,
      })),
    ],
    items: ['a', 'b', 'c', 'd', 'e'].map((id) => ({
      id: `item-${id}`,
      orderId: id,
      g2aProductId: PRODUCT,
      quantity: id === 'a' ? 2 : 1,
      salePriceCents: 700,
    })),
    purchases: [
      purchase(1, 'item-a', 'completed'),
      purchase(2, 'item-a', 'dead'),
      purchase(3, 'item-a', 'completed'),
      purchase(4, 'item-b', 'unknown'),
      purchase(5, 'item-c', 'completed'),
      purchase(6, 'item-d', 'completed'),
      purchase(7, 'item-e', 'completed'),
    ],
    keys: [
      [1, 'a'],
      [3, 'a'],
      [5, 'c'],
      [6, 'd'],
      [7, 'e'],
    ].map(([number, order]) => ({
      id: `key-${number}`,
      purchaseId: `purchase-${number}`,
      orderItemId: `item-${order}`,
      cwsCodeId: `code-${number}`,
    })),
    alerts: [{ kind: 'order_needs_attention', subject: 'b', isOpen: true, lastRaisedAtMs: CALLED_AT_MS }],
    ownExitCodes: [1],
    disturbances: { kills: 1, freezes: 0, databaseRestarts: 1 },
  };
}

/** A promise broken on purpose: what the change is, the change, and the rule that must notice it, perhaps among others. */
export type Planted = [sabotage: string, rule: string, plant: (run: Draft) => void];

export const ledgerOrder = (run: Draft, reference: string) =>
  run.ledger.orders.find((sold) => sold.clientOrderId === reference)!;
