import type { OfferToPrice } from '../catalog/offers.queries.js';
import type { SimulatedPrice } from '../catalog/price-simulations.queries.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { type HigherFee, planSimulations } from './simulation-plan.rules.js';

/** What was planned is asked in this time, or planned anew: prices change. */
export const PLAN_LIFE_MS = 2 * 60_000;
/** Default number of offers to go through at once: nothing else runs meanwhile. */
const OFFERS_AT_ONCE = 5000;

/** The prices that are about to be asked about. Goes through the offers some at a time, in turn. */
export class SimulationQueue {
  private planned: SimulatedPrice[] = [];
  private plannedAt = -Infinity;
  /** How many offers this turn has gone through. */
  private position = 0;
  private higherFees: HigherFee[] = [];

  /** @param size the most prices that can be asked about while a plan lives, 1 and above. */
  constructor(
    private readonly size: number,
    private readonly offersAtOnce = OFFERS_AT_ONCE,
  ) {}

  /**
   * Plans for the next offers, unless the last plan is young and not used up.
   * @param now epoch milliseconds.
   * @returns the higher fees of all offers, when that was the last of them; else null.
   */
  refill(offers: readonly OfferToPrice[], input: DesiredStateInput, now: number): readonly HigherFee[] | null {
    if (this.planned.length > 0 && now - this.plannedAt < PLAN_LIFE_MS) return null;
    const next = offers.slice(this.position, this.position + this.offersAtOnce);
    const { due, higherFees } = planSimulations(next, input, now, this.size);
    this.planned = [...due];
    this.plannedAt = now;
    this.higherFees.push(...higherFees);
    this.position += this.offersAtOnce;
    if (this.position < offers.length) return null;

    const found = this.higherFees;
    this.position = 0;
    this.higherFees = [];
    return found;
  }

  /** Takes the next price; undefined when there is none. */
  take(): SimulatedPrice | undefined {
    return this.planned.shift();
  }

  /** It stays the turn of a price that could not be asked about. */
  putBack(price: SimulatedPrice): void {
    this.planned.unshift(price);
  }
}
