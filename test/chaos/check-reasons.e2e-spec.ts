import { type Draft, goodRun, ledgerOrder, notBought, type Planted, PRODUCT } from './check.fixture.js';
import { check } from './check.mjs';

const reason = (text: string) => (run: Draft) => {
  run.orders[1]!.attentionReason = text;
};

const NOT_COMPARED = 'CWS did not tell what it has sold, with which this database must be compared';

const FALSE_REASONS: Planted[] = [
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
  ['a purchase was sent twice, and the reason says once', 'reason', (run) => (run.purchases[3]!.sendCount = 2)],
  [
    'a purchase is under way',
    'reason',
    (run) => {
      notBought(run);
      run.purchases[3]!.state = 'unknown';
    },
  ],
  [
    'fewer keys are missing than the reason says',
    'reason',
    (run) => {
      notBought(run);
      run.orders[1]!.attentionReason = run.orders[1]!.attentionReason!.replace('1 of 1 key', '2 of 1 key');
    },
  ],
  [
    'a supplier is said to have no stock, and had plenty',
    'reason',
    (run) => {
      notBought(run, { market: 'no supplier has stock' });
      run.posts.at(-1)!.status = null;
    },
  ],
  [
    'the supplier asks another price than the reason says',
    'reason',
    (run) => {
      notBought(run, { market: 'the cheapest supplier in stock asks 6.00 EUR, the sale leaves 5.95 EUR' });
    },
  ],
  [
    'another supplier with stock asks less than the reason says',
    'reason',
    (run) => {
      notBought(run);
      run.suppliers[PRODUCT]!.push('supplier-2');
      run.market['supplier-2'] = { openingStock: 1_000, bands: [{ cents: 499, from: 1, to: null }] };
    },
  ],
  [
    'what was promised is called too dear, and its supplier still had a few pieces',
    'reason',
    (run) => {
      notBought(run, { market: 'the cheapest supplier in stock asks 6.00 EUR, the sale leaves 5.95 EUR' });
      run.posts.at(-1)!.status = null;
      run.purchases[3]!.lastError = null;
      run.orders[1]!.attentionReason = run.orders[1]!.attentionReason!.replace(/; last try.*/, '');
      run.suppliers[PRODUCT]!.push('supplier-2');
      run.market['supplier-1']!.openingStock = 8;
      run.market['supplier-2'] = { openingStock: 1_000, bands: [{ cents: 600, from: 1, to: null }] };
    },
  ],
  [
    'the sale leaves another amount than the reason says',
    'reason',
    (run) => {
      notBought(run, { market: 'the cheapest supplier in stock asks 5.00 EUR, the sale leaves 4.95 EUR' });
    },
  ],
  [
    'an exchange rate is said to be missing',
    'reason',
    (run) => {
      notBought(run, { market: 'no exchange rate is known' });
    },
  ],
  [
    'the last try came to something else',
    'reason',
    (run) => {
      notBought(run, { failure: 'CWS: cancelled' });
    },
  ],
  [
    'the last try is left out',
    'reason',
    (run) => {
      notBought(run, { failure: '' });
    },
  ],
  [
    'CWS never refused the last try',
    'reason',
    (run) => {
      notBought(run);
      run.posts.at(-1)!.status = 500;
    },
  ],
  [
    'CWS never took the last try back',
    'reason',
    (run) => {
      notBought(run, { failure: 'CWS: cancelled' });
      run.purchases[3]!.lastError = 'CWS: cancelled';
    },
  ],
  [
    'nothing stood against buying',
    'reason',
    (run) => {
      notBought(run, { failure: '' });
      run.purchases[3]!.lastError = null;
    },
  ],
  [
    'CWS is said not to have told what it has sold, and has',
    'reason',
    (run) => {
      notBought(run);
      run.orders[1]!.attentionReason = run.orders[1]!.attentionReason!.replace(
        'in time: ',
        `in time: ${NOT_COMPARED}; `,
      );
    },
  ],
];

describe('the chaos run’s check of the reasons why people were called', () => {
  it.each(FALSE_REASONS)('notices that %s (%s)', (_sabotage, rule, plant) => {
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
    notBought(run);
    run.ledger.orders.pop();
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

  it('believes that no supplier has stock when the only one refuses', () => {
    const run = goodRun();
    notBought(run, { market: 'no supplier has stock' });
    expect(check(run)).toEqual([]);
  });

  it('believes that CWS did not tell what it has sold when it did not', () => {
    const run = goodRun();
    notBought(run);
    run.orders[1]!.attentionReason = run.orders[1]!.attentionReason!.replace('in time: ', `in time: ${NOT_COMPARED}; `);
    run.historyAnswers[0]!.status = 500;
    expect(check(run)).toEqual([]);
  });
});
