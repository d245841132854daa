import { BehaviorTable } from './behaviors.js';

describe('the table of behaviors', () => {
  it('keeps one back until its route has had so many requests', () => {
    let requests = 0;
    const table = new BehaviorTable(['answers500'], (route) => (route === 'POST /v3/orders' ? requests : 0));
    table.set({ name: 'answers500', times: 1, after: { route: 'POST /v3/orders', requests: 2 } });

    const happened = [1, 2, 3, 4].map((nth) => {
      requests = nth;
      return table.take('answers500', { route: 'GET /v3/orders' }) !== undefined;
    });

    expect(happened).toEqual([false, false, true, false]);
  });
});
