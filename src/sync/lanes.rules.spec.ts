import { slowAfterMs } from './lanes.rules.js';

describe('a lane of synchronization is slow', () => {
  it('after three intervals', () => {
    expect(slowAfterMs('supply', 5)).toBe(15_000);
    expect(slowAfterMs('pricing', 60)).toBe(180_000);
  });

  it('with short intervals not before what it takes by design', () => {
    expect(slowAfterMs('sweep', 1)).toBe(15_000);
  });

  it('when it is the listing, only when the next one is due', () => {
    expect(slowAfterMs('listing', 5)).toBe(600_000);
  });
});
