import { type OrderNews, stateAfterNews } from './purchase-end.rules.js';

const news = (status: OrderNews['status'], storedCodes: number, unreadCodes = 0): OrderNews => ({
  status,
  storedCodes,
  unreadCodes,
});

describe('the state of a purchase after news of its orders', () => {
  it.each<[string, { quantity: number; keys: number; orders: number }, OrderNews[], string]>([
    ['its keys came', { quantity: 1, keys: 1, orders: 1 }, [news('completed', 1)], 'completed'],
    [
      'a key came earlier, and is not shown any more',
      { quantity: 2, keys: 2, orders: 1 },
      [news('fulfilling', 1)],
      'completed',
    ],
    ['CWS is at work', { quantity: 1, keys: 0, orders: 1 }, [news('fulfilling', 0)], 'fulfilling'],
    ['CWS says completed and owes a code', { quantity: 2, keys: 1, orders: 1 }, [news('completed', 1)], 'fulfilling'],
    ['CWS took it back', { quantity: 1, keys: 0, orders: 1 }, [news('cancelled', 0)], 'dead'],
    ['CWS took it back, part of it came', { quantity: 2, keys: 1, orders: 1 }, [news('failed', 1)], 'dead'],
    [
      'CWS took it back, a code is unread',
      { quantity: 1, keys: 0, orders: 1 },
      [news('cancelled', 0, 1)],
      'fulfilling',
    ],
    [
      'the first is taken back, the second runs',
      { quantity: 1, keys: 0, orders: 2 },
      [news('cancelled', 0), news('fulfilling', 0)],
      'fulfilling',
    ],
    [
      'the first has come, the second runs',
      { quantity: 1, keys: 1, orders: 2 },
      [news('completed', 1), news('fulfilling', 0)],
      'fulfilling',
    ],
    [
      'the first is taken back, the second has come',
      { quantity: 1, keys: 1, orders: 2 },
      [news('cancelled', 0), news('completed', 1)],
      'completed',
    ],
    ['both have come', { quantity: 1, keys: 2, orders: 2 }, [news('completed', 1), news('completed', 1)], 'completed'],
    ['one of two is not shown now', { quantity: 1, keys: 0, orders: 2 }, [news('cancelled', 0)], 'fulfilling'],
  ])('%s', (_name, purchase, orders, expected) => {
    expect(stateAfterNews(purchase, orders)).toBe(expected);
  });
});
