import { check, type Evidence, type LedgerOrder } from './check.mjs';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object | null ? Mutable<T[K]> : T[K] };
type Draft = Mutable<Evidence>;

const PRODUCT = 10000000000001;
const SUPPLIER = 'supplier-1';

/** Two customers: one has both of her keys, of which the second came after a canceled purchase; one was told the truth about why not. */
function goodRun(): Draft {
  const sold = (number: number, reference: string, status = 'Completed'): Mutable<LedgerOrder> => ({
    orderId: `cws-${number}`,
    clientOrderId: reference,
    status,
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
  });
  const shown = () =>
    [1, 3].map((number) => ({ g2aProductId: PRODUCT, id: `key-${number}`, value: `VALUE-${number}` }));
  return {
    notes: [
      {
        customer: 0,
        g2aOrderId: 70,
        lines: [{ g2aProductId: PRODUCT, quantity: 2 }],
        orderIds: ['a', 'a'],
        refusals: [],
        seen: [shown()[0]!],
      },
      {
        customer: 1,
        g2aOrderId: 71,
        lines: [{ g2aProductId: PRODUCT, quantity: 1 }],
        orderIds: ['b'],
        refusals: [],
        seen: [],
      },
      {
        customer: 2,
        g2aOrderId: 72,
        lines: [{ g2aProductId: PRODUCT, quantity: 1 }],
        orderIds: ['c'],
        refusals: [],
        seen: [],
      },
      {
        customer: 3,
        g2aOrderId: 73,
        lines: [{ g2aProductId: PRODUCT, quantity: 1 }],
        orderIds: ['d'],
        refusals: [],
        seen: [],
      },
      {
        customer: 4,
        g2aOrderId: 74,
        lines: [{ g2aProductId: PRODUCT, quantity: 1 }],
        orderIds: ['e'],
        refusals: [],
        seen: [],
      },
    ],
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
    alerts: [{ kind: 'order_needs_attention', subject: 'b', isOpen: true }],
    ownExitCodes: [1],
  };
}

/** A promise broken on purpose: what the change is, the change, and the rule that must notice it, perhaps among others. */
type Planted = [sabotage: string, rule: string, plant: (run: Draft) => void];

const ledgerOrder = (run: Draft, reference: string) =>
  run.ledger.orders.find((sold) => sold.clientOrderId === reference)!;
const reason = (text: string) => (run: Draft) => {
  run.orders[1]!.attentionReason = text;
};

const PLANTED: Planted[] = [
  ['an accepted order is gone', 'order-lost', (run) => run.orders.splice(0, 1)],
  ['an order has another quantity', 'order-altered', (run) => (run.items[0]!.quantity = 3)],
  ['an order belongs to another G2A order', 'order-altered', (run) => (run.orders[0]!.g2aOrderId = 99)],
  ['identical calls got different ids', 'one-order', (run) => run.notes[0]!.orderIds.push('b')],
  ['a paid order was refused', 'paid-order-refused', (run) => run.notes[0]!.refusals.push({ status: 404 })],
  ['an order that nobody made exists', 'order-invented', (run) => run.notes.splice(1, 1)],
  ['an order is not final', 'not-final', (run) => (run.orders[0]!.state = 'fulfilling')],
  ['an order was given up', 'not-final', (run) => (run.orders[0]!.state = 'failed')],
  [
    'a completed order shows a key less',
    'keys',
    (run) => {
      run.deliveries[0]!.answers.forEach((answer) => answer.pop());
    },
  ],
  ['a completed order was not shown', 'keys', (run) => run.deliveries.splice(0, 1)],
  ['one replica shows other keys', 'same-keys', (run) => (run.deliveries[0]!.answers[1]![0]!.value = 'OTHER')],
  ['a key that was shown is replaced', 'same-keys', (run) => (run.notes[0]!.seen[0]!.value = 'OTHER')],
  [
    'a key is shown to two customers',
    'key-twice',
    (run) => {
      run.deliveries[1]!.answers.forEach((answer) => answer.push(run.deliveries[0]!.answers[0]![0]!));
    },
  ],
  ['a key that CWS never sold is shown', 'right-key', (run) => (run.keys[0]!.cwsCodeId = 'code-9')],
  [
    'a value that CWS never sold is shown',
    'right-key',
    (run) => {
      run.deliveries[0]!.answers.forEach((answer) => (answer[0] = { ...answer[0]!, value: 'OTHER' }));
    },
  ],
  ["another customer's key is shown", 'right-key', (run) => (run.purchases[0]!.orderItemId = 'item-c')],
  [
    'two orders of CWS under one reference, silently',
    'bought-twice',
    (run) => run.ledger.orders.push({ ...ledgerOrder(run, 'KF-1'), orderId: 'cws-8' }),
  ],
  [
    'two purchases of the same piece',
    'bought-twice',
    (run) => {
      run.purchases.push({ ...run.purchases[4]!, id: 'purchase-8', clientOrderId: 'KF-8' });
      run.ledger.orders.push({ ...ledgerOrder(run, 'KF-5'), orderId: 'cws-8', clientOrderId: 'KF-8' });
    },
  ],
  [
    'a purchase is still under way for a complete order',
    'bought-twice',
    (run) => (run.purchases[1]!.state = 'unknown'),
  ],
  ['a bought code is not stored', 'code-missing', (run) => run.keys.splice(1, 1)],
  [
    'a bought code of a purchase called dead is not stored',
    'code-missing',
    (run) => {
      ledgerOrder(run, 'KF-2').status = 'Completed';
      ledgerOrder(run, 'KF-2').lines[0]!.codes = [{ codeId: 'code-2', code: 'VALUE-2' }];
    },
  ],
  ['a key is stored for another purchase', 'key-invented', (run) => (run.keys[0]!.purchaseId = 'purchase-3')],
  ['a key is stored for another item', 'key-invented', (run) => (run.keys[0]!.orderItemId = 'item-b')],
  ['CWS sold what was never intended', 'intent', (run) => (ledgerOrder(run, 'KF-1').clientOrderId = 'KF-9')],
  ['CWS sold more than was intended', 'intent', (run) => (ledgerOrder(run, 'KF-1').lines[0]!.quantity = 2)],
  ['another product was bought', 'intent', (run) => (run.suppliers[PRODUCT] = ['supplier-2'])],
  ['an order was sent without a cap', 'cap', (run) => (ledgerOrder(run, 'KF-2').lines[0]!.capCents = null)],
  ['an order was sent with another cap', 'cap', (run) => (ledgerOrder(run, 'KF-2').lines[0]!.capCents = 501)],
  ['CWS charged more than the cap', 'cap', (run) => (ledgerOrder(run, 'KF-1').lines[0]!.unitCents = 501)],
  ['a key was bought at a loss', 'loss', (run) => (run.items[0]!.salePriceCents = 588)],
  ['the balance is lower than the orders explain', 'money', (run) => (run.ledger.balanceCents -= 1)],
  ['CWS spent more than the orders explain', 'money', (run) => (run.ledger.spentCents += 1)],
  ['our books have another price', 'money', (run) => (run.purchases[0]!.unitPriceCents = 499)],
  ['nobody was called', 'alert', (run) => run.alerts.splice(0, 1)],
  ['a person is called for a completed order', 'alert', (run) => run.alerts.push({ ...run.alerts[0]!, subject: 'a' })],
  [
    'a look-up is said to have missed',
    'alert',
    (run) => run.alerts.push({ kind: 'purchase_lookup_missed', subject: '', isOpen: false }),
  ],
  [
    'too many orders are left to people',
    'alert',
    (run) => {
      run.orders.slice(1, 3).forEach((order) => (order.state = 'needs_attention'));
    },
  ],
  ['a replica ended with 0 unasked', 'exit', (run) => run.ownExitCodes.push(0)],
  ['the reason is empty', 'reason', reason('')],
  ['the reason names a purchase of another order', 'reason', reason('purchase KF-1 has no known outcome')],
  [
    'one of two reasons is not true',
    'reason',
    reason('purchase KF-4 has no known outcome (HTTP 500. again). purchase KF-1 has no known outcome'),
  ],
  ['the reason names no purchase of ours', 'reason', reason('purchase KF-9 has no known outcome')],
  [
    'the unknown purchase was charged',
    'reason',
    (run) => run.ledger.orders.push({ ...ledgerOrder(run, 'KF-1'), clientOrderId: 'KF-4' }),
  ],
  [
    'the unknown purchase was canceled, which CWS says',
    'reason',
    (run) => run.ledger.orders.push({ ...ledgerOrder(run, 'KF-2'), clientOrderId: 'KF-4' }),
  ],
  [
    'CWS has no order of a purchase that is said to be late',
    'reason',
    reason('purchase KF-4 has no key by the deadline'),
  ],
  ['all keys are there', 'reason', (run) => (run.orders[0]!.state = 'needs_attention')],
  [
    'the key came in the end',
    'reason',
    (run) => {
      reason('purchase KF-4 has no key by the deadline')(run);
      run.ledger.orders.push({ ...ledgerOrder(run, 'KF-1'), clientOrderId: 'KF-4' });
    },
  ],
  [
    'a purchase is under way',
    'reason',
    reason(`product ${PRODUCT}: 1 of 1 key could not be bought in time without a loss`),
  ],
  [
    'fewer keys are missing than the reason says',
    'reason',
    (run) => {
      reason(`product ${PRODUCT}: 2 of 1 key could not be bought in time without a loss`)(run);
      run.purchases[3]!.state = 'dead';
    },
  ],
];

describe('the chaos run’s check', () => {
  it('finds nothing in a good run', () => {
    expect(check(goodRun())).toEqual([]);
  });

  it.each(PLANTED)('notices that %s (%s)', (_sabotage, rule, plant) => {
    const run = goodRun();
    plant(run);
    expect(check(run).map((violation) => violation.rule)).toContain(rule);
  });

  it('believes a reason that the ledger confirms', () => {
    const run = goodRun();
    reason('purchase KF-4 has no key by the deadline (CWS: cancelled)')(run);
    run.ledger.orders.push({ ...ledgerOrder(run, 'KF-2'), clientOrderId: 'KF-4' });
    run.purchases[3]!.state = 'dead';
    expect(check(run)).toEqual([]);
    reason(`product ${PRODUCT}: 1 of 1 key could not be bought in time without a loss`)(run);
    expect(check(run)).toEqual([]);
  });

  it('believes that an outcome is not known when CWS has one, and could not be asked', () => {
    const run = goodRun();
    run.ledger.orders.push({ ...ledgerOrder(run, 'KF-2'), clientOrderId: 'KF-4' });
    reason('purchase KF-4 has no known outcome (the last look-up failed: cws GET /v3/orders: HTTP 500), sent once')(
      run,
    );
    expect(check(run)).toEqual([]);
  });

  it('accepts a purchase that CWS made twice when a person was told and all codes are kept', () => {
    const run = goodRun();
    const twin = structuredClone(ledgerOrder(run, 'KF-1'));
    twin.orderId = 'cws-8';
    twin.lines[0]!.codes = [{ codeId: 'code-8', code: 'VALUE-8' }];
    run.ledger.orders.push(twin);
    run.ledger.spentCents += 500;
    run.ledger.balanceCents -= 500;
    run.keys.push({ ...run.keys[0]!, id: 'key-8', cwsCodeId: 'code-8' });
    run.alerts.push({ kind: 'purchase_duplicated', subject: 'purchase-1', isOpen: true });
    expect(check(run)).toEqual([]);
  });
});
