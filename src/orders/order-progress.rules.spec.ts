import { nextOrderState, piecesToBuy } from './order-progress.rules.js';
import type { PurchaseState } from './order-state.rules.js';

const item = (
  quantity: number,
  keys: number,
  live: PurchaseState | null | readonly (readonly [PurchaseState, number])[] = null,
  undeliverableKeys = 0,
): Parameters<typeof nextOrderState>[1][number] => {
  const parts = Array.isArray(live) ? live : live === null ? [] : [[live, quantity - keys] as const];
  return {
    quantity,
    keys,
    undeliverableKeys,
    livePurchases: parts.map(([state, openPieces]) => ({ state, openPieces })),
  };
};

describe('the pieces that are still to be bought', () => {
  it.each([
    [item(3, 0), 3],
    [item(3, 1), 2],
    [item(3, 0, [['fulfilling', 2]]), 1],
    [item(3, 0, [['unknown', 2]]), 1],
    [item(3, 0, [['intended', 2]]), 1],
    [item(3, 1, [['fulfilling', 1]]), 1],
    [
      item(3, 0, [
        ['fulfilling', 2],
        ['intended', 1],
      ]),
      0,
    ],
    // What was made twice, or turned up late, is not owed once more.
    [item(2, 1, [['fulfilling', 2]]), 0],
    [item(1, 2), 0],
  ])('of %j are %i', (pieces, expected) => {
    expect(piecesToBuy(pieces)).toBe(expected);
  });
});

describe('the state of an order', () => {
  it.each([
    ['accepted', [item(1, 1)], 'completed'],
    ['fulfilling', [item(2, 2), item(1, 1)], 'completed'],
    ['purchasing', [item(1, 0, 'fulfilling')], 'fulfilling'],
    ['purchasing', [item(1, 0, 'unknown')], 'fulfilling'],
    ['purchasing', [item(1, 0, 'intended')], 'purchasing'],
    ['fulfilling', [item(1, 0)], 'purchasing'],
    ['fulfilling', [item(1, 1), item(1, 0)], 'purchasing'],
    ['fulfilling', [item(1, 1), item(1, 0, 'fulfilling')], 'fulfilling'],
    ['purchasing', [item(2, 1)], 'purchasing'],
    ['purchasing', [item(3, 0, [['fulfilling', 2]])], 'purchasing'],
    [
      'purchasing',
      [
        item(3, 0, [
          ['fulfilling', 2],
          ['intended', 1],
        ]),
      ],
      'purchasing',
    ],
    [
      'purchasing',
      [
        item(3, 0, [
          ['fulfilling', 2],
          ['unknown', 1],
        ]),
      ],
      'fulfilling',
    ],
    ['purchasing', [item(3, 2, [['fulfilling', 1]])], 'fulfilling'],
    // A person was called: only the missing keys themselves end that.
    ['needs_attention', [item(1, 0, 'fulfilling')], 'needs_attention'],
    ['needs_attention', [item(1, 1)], 'completed'],
    ['failed', [item(1, 1)], 'failed'],
    ['resolved', [item(1, 1)], 'resolved'],
    ['resolved', [item(1, 0, 'unknown')], 'resolved'],
    // All keys are here, and one of them cannot be handed over.
    ['purchasing', [item(2, 2, null, 1)], 'needs_attention'],
    ['needs_attention', [item(1, 1), item(1, 1, null, 1)], 'needs_attention'],
    ['fulfilling', [item(2, 1, null, 1)], 'purchasing'],
  ] as const)('%s with %j is %s', (current, items, expected) => {
    expect(nextOrderState(current, items)).toBe(expected);
  });
});
