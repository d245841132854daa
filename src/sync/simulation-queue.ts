import type { OfferToPrice } from '../catalog/offers.queries.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { type DuePrice, type HigherFee, mostDue, planSimulations } from './simulation-plan.rules.js';

/** What was planned is asked in this time, or planned anew: prices change. */
export const PLAN_LIFE_MS = 2 * 60_000;

/** The prices that are about to be asked about. The offers are gone through some at a time, in turn. */
export class SimulationQueue {
  private planned: DuePrice[] = [];
  private plannedAt = -Infinity;
  private lastProduct: number | null = null;
  private higherFees: HigherFee[] = [];

  /** @param size the most prices that can be asked about while a plan lives, 1 and above. */
  constructor(private readonly size: number) {}

  /** The G2A product up to which this turn has come; null: it has not begun. */
  get position(): number | null {
    return this.lastProduct;
  }

  /**
   * Whether it is time to plan: the last plan is used up, or too old.
   * @param now epoch milliseconds, as `begin` got it.
   */
  isDue(now: number): boolean {
    return this.planned.length === 0 || now - this.plannedAt >= PLAN_LIFE_MS;
  }

  /** Begins a plan: prices change, so what is left of the last one is dropped. @param now epoch milliseconds. */
  begin(now: number): void {
    this.planned = [];
    this.plannedAt = now;
  }

  /** Adds the next offers to the plan. */
  add(offers: readonly OfferToPrice[], input: DesiredStateInput): void {
    const { due, higherFees } = planSimulations(offers, input);
    this.planned = mostDue([...this.planned, ...due], this.size);
    this.higherFees.push(...higherFees);
  }

  /**
   * All offers up to a product are added.
   * @param product null: there are no more, and the next turn begins.
   * @returns the higher fees of all offers, when these were the last; else null.
   */
  goneThroughTo(product: number | null): readonly HigherFee[] | null {
    this.lastProduct = product;
    if (product !== null) return null;

    const found = this.higherFees;
    this.higherFees = [];
    return found;
  }

  /** Takes the next price; undefined when there is none. */
  take(): DuePrice | undefined {
    return this.planned.shift();
  }

  /** It stays the turn of a price that could not be asked about. */
  putBack(price: DuePrice): void {
    this.planned.unshift(price);
  }
}
