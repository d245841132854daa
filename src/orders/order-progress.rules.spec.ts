import { nextOrderState } from './order-progress.rules.js';
import type { PurchaseState } from './order-state.rules.js';

const item = (
  quantity: number,
  keys: number,
  livePurchaseState: PurchaseState | null = null,
  undeliverableKeys = 0,
): Parameters<typeof nextOrderState>[1][number] => ({ quantity, keys, undeliverableKeys, livePurchaseState });

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
