import { makePlan } from './plan.mjs';

const SEEDS = Array.from({ length: 100 }, (_, index) => index * 40_503);

describe('the plan of a chaos run', () => {
  it('is the same for the same seed', () => {
    expect(makePlan({ seed: 42, orders: 300 })).toEqual(makePlan({ seed: 42, orders: 300 }));
  });

  it('is another one for another seed', () => {
    const [one, other] = [1, 2].map((seed) => makePlan({ seed, orders: 300 }));
    expect(one!.customers).not.toEqual(other!.customers);
    expect(one!.disturbances).not.toEqual(other!.disturbances);
    expect(one!.faults).not.toEqual(other!.faults);
  });

  it('kills processes and restarts the database in every run of 300 orders', () => {
    const kinds = SEEDS.map((seed) => makePlan({ seed, orders: 300 }).disturbances.map(({ kind }) => kind));
    expect(kinds.filter((drawn) => !drawn.includes('kill') || !drawn.includes('restartDatabase'))).toEqual([]);
  });

  it('loses answers and requests when the look-ups are trusted, in every run of 300 orders', () => {
    // By a third of a run they have been tried with many purchases; what is lost from then on is sent again.
    const counts = SEEDS.flatMap((seed) => {
      const late = makePlan({ seed, orders: 300 })
        .faults.flat()
        .filter(({ after }) => after.requests > 110 && after.requests < 250);
      const lostAnswers = late.filter(({ name }) => name === 'answersAfterCommitNever');
      const lostRequests = late.filter(({ name, route }) => name === 'losesRequest' && route === 'POST /v3/orders');
      return [lostAnswers.length, lostRequests.length];
    });
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  });

  it('gives every fault its turn before the last purchase', () => {
    for (const seed of SEEDS) {
      const { customers, faults } = makePlan({ seed, orders: 300 });
      const purchases = customers.reduce((sum, { lines }) => sum + lines.length, 0);
      expect(Math.max(...faults.flat().map(({ after }) => after.requests))).toBeLessThan(purchases);
    }
  });
});
