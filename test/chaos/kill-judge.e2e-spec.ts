import { type End, judge } from './kill-judge.mjs';

const sold = (code: string, end = 'Completed', clientOrderId = `KF-${code}`) => ({
  clientOrderId,
  end,
  lines: [{ codes: end === 'Completed' ? [{ code }] : [] }],
});

const GOOD: End = {
  quantity: 1,
  orders: [{ state: 'completed', attentionReason: null }],
  purchases: [{ state: 'dead' }, { state: 'completed' }],
  delivered: ['A'],
  bought: [sold('-', 'Cancelled'), sold('A')],
  strangers: 0,
};

describe('the judge of kill-at-each-step', () => {
  it('is content with a key that was bought once and is delivered', () => {
    expect(judge(GOOD)).toEqual([]);
  });

  it('is content with two keys from two suppliers', () => {
    expect(judge({ ...GOOD, quantity: 2, bought: [sold('A'), sold('B')], delivered: ['B', 'A'] })).toEqual([]);
  });

  it.each<[string, Partial<End>, string]>([
    ['a second purchase', { bought: [sold('A'), sold('B')] }, '2 keys were bought, 1 ordered'],
    [
      'a purchase that was made twice where two keys were ordered',
      { quantity: 2, bought: [sold('A'), sold('B', 'Completed', 'KF-A')], delivered: ['A', 'B'] },
      '1 purchases were bought 2 times',
    ],
    ['a purchase that nobody wrote down', { strangers: 1 }, '1 orders that no purchase stands for'],
    ['a key that is not delivered', { delivered: [] }, '1 keys were bought, 0 are delivered'],
    ['another key', { delivered: ['B'] }, '1 keys were bought, 1 are delivered'],
    ['a person called', { orders: [{ state: 'needs_attention', attentionReason: 'so' }] }, 'needs_attention: so'],
    ['a purchase left behind', { purchases: [{ state: 'unknown' }] }, 'stays unknown'],
    ['an order that is lost', { orders: [] }, 'there are 0 orders'],
    ['an order that exists twice', { orders: [...GOOD.orders, ...GOOD.orders] }, 'there are 2 orders'],
  ])('notices %s', (_what, broken, complaint) => {
    expect(judge({ ...GOOD, ...broken }).join('\n')).toContain(complaint);
  });
});
