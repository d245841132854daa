import { type Draft, goodRun, ledgerOrder, makeWhole, type Planted, PRODUCT } from './check.fixture.js';
import { check } from './check.mjs';

/** CWS makes one more order under this reference, and everybody does as is right with what cannot be undone. */
function buyBeside(run: Draft, reference: string, purchaseId: string): void {
  const twin = { ...structuredClone(ledgerOrder(run, reference)), orderId: 'cws-8', status: 'Completed' };
  twin.lines[0]!.codes = [{ codeId: 'code-8', code: 'VALUE-8' }];
  run.ledger.orders.push(twin);
  run.ledger.spentCents += 500;
  run.ledger.balanceCents -= 500;
  run.keys.push({ ...run.keys[0]!, id: 'key-8', purchaseId, cwsCodeId: 'code-8' });
  run.purchases.find(({ id }) => id === purchaseId)!.unitPriceCents = 500;
  run.alerts.push({ ...run.alerts[0]!, kind: 'purchase_duplicated', subject: purchaseId });
}

/** Of a whole run in which everything happened, but for what `spoil` takes away. */
const wholeBut = (spoil: (run: Draft) => void) => (run: Draft) => {
  makeWhole(run);
  run.posts[0]!.status = null;
  run.purchases[2]!.sendCount = 2;
  spoil(run);
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
    'CWS has two orders under one reference, all codes are kept, and a person was told',
    'bought-twice',
    (run) => {
      buyBeside(run, 'KF-1', 'purchase-1');
    },
  ],
  [
    'a refused purchase was executed, and bought elsewhere as well, all codes are kept, and a person was told',
    'bought-twice',
    (run) => {
      buyBeside(run, 'KF-2', 'purchase-2');
    },
  ],
  [
    'a purchase was executed that is called dead, and its key is delivered',
    'bought-twice',
    (run) => (run.purchases[0]!.state = 'dead'),
  ],
  [
    'a purchase was sent more often than it was claimed',
    'bought-twice',
    (run) => run.posts.push({ ...run.posts[0]!, status: 400 }),
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
    (run) => run.alerts.push({ ...run.alerts[0]!, kind: 'purchase_lookup_missed', subject: '', isOpen: false }),
  ],
  [
    'a purchase is said to have been made twice',
    'alert',
    (run) => run.alerts.push({ ...run.alerts[0]!, kind: 'purchase_duplicated', subject: 'purchase-1' }),
  ],
  [
    'too many orders are left to people',
    'alert',
    (run) => {
      run.orders.slice(1, 3).forEach((order) => (order.state = 'needs_attention'));
    },
  ],
  ['a replica ended with 0 unasked', 'exit', (run) => run.ownExitCodes.push(0)],
  ['a whole run has no kill', 'run', wholeBut((run) => (run.disturbances.kills = 0))],
  ['a whole run has no restart of the database', 'run', wholeBut((run) => (run.disturbances.databaseRestarts = 0))],
  ['no answer was lost in a whole run', 'run', wholeBut((run) => (run.posts[0]!.status = 200))],
  ['nothing was sent again in a whole run', 'run', wholeBut((run) => (run.purchases[2]!.sendCount = 1))],
  ['only a few customers could order', 'run', (run) => (run.customers = 6)],
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

  it('knows that a request which CWS has not executed is no second purchase', () => {
    const run = goodRun();
    run.posts.push({ ...run.posts[0]!, status: 401 }, { ...run.posts[0]!, status: 429 });
    expect(check(run)).toEqual([]);
  });

  it('is content with a whole run in which everything happened', () => {
    const run = goodRun();
    wholeBut(() => undefined)(run);
    expect(check(run).filter(({ rule }) => rule === 'run')).toEqual([]);
  });

  it('asks of a short run nothing that only a whole one shows', () => {
    const run = goodRun();
    run.disturbances = { kills: 0, freezes: 0, databaseRestarts: 0 };
    expect(check(run)).toEqual([]);
  });
});
