/** How many pieces an item of a cart wants, and the most that it may have of each supplier, the best supplier first. */
export interface CartDemand {
  readonly quantity: number;
  readonly most: ReadonlyMap<string, number>;
}

/** An item takes of a supplier what the step before it then does not have to: that item gives it up and looks elsewhere. */
interface Step {
  readonly item: number;
  readonly supplier: string;
  readonly before: Step | null;
}

/**
 * Gives every item all that it wants, whenever that is possible at all: where one finds nothing left, others move over to
 * what else they may have (a maximum flow by shortest augmenting paths: Edmonds and Karp, 1972).
 * @param available pieces of each supplier, for all items together.
 * @returns what each item gets of which supplier, in the order of the demands; null when no split serves all.
 */
export function splitCart(
  demands: readonly CartDemand[],
  available: ReadonlyMap<string, number>,
): readonly ReadonlyMap<string, number>[] | null {
  const free = new Map(available);
  const shares = demands.map(() => new Map<string, number>());
  const share = (item: number, supplier: string): number => shares[item]?.get(supplier) ?? 0;
  const room = (item: number, supplier: string): number =>
    (demands[item]?.most.get(supplier) ?? 0) - share(item, supplier);
  const add = (item: number, supplier: string, pieces: number): void => {
    shares[item]?.set(supplier, share(item, supplier) + pieces);
  };
  const stepsOf = (item: number, before: Step | null): Step[] =>
    [...(demands[item]?.most.keys() ?? [])]
      .filter((supplier) => room(item, supplier) > 0)
      .map((supplier) => ({ item, supplier, before }));

  /** The shortest way to pieces that nobody has; the last step takes them. */
  const wayToFree = (first: number): Step | undefined => {
    const seen = new Set<string>();
    const steps = stepsOf(first, null);
    // Grows while it is read: what is close comes first.
    for (const step of steps) {
      if (seen.has(step.supplier)) continue;
      seen.add(step.supplier);
      if ((free.get(step.supplier) ?? 0) > 0) return step;
      demands.forEach((_demand, other) => {
        if (share(other, step.supplier) > 0) steps.push(...stepsOf(other, step));
      });
    }
    return undefined;
  };

  for (const [item, { quantity }] of demands.entries()) {
    for (let missing = quantity; missing > 0;) {
      const last = wayToFree(item);
      if (last === undefined) return null;
      const limits = [missing, free.get(last.supplier) ?? 0];
      for (const step of stepsBack(last)) {
        limits.push(room(step.item, step.supplier));
        if (step.before !== null) limits.push(share(step.item, step.before.supplier));
      }
      const pieces = Math.min(...limits);
      for (const step of stepsBack(last)) {
        add(step.item, step.supplier, pieces);
        if (step.before !== null) add(step.item, step.before.supplier, -pieces);
      }
      free.set(last.supplier, (free.get(last.supplier) ?? 0) - pieces);
      missing -= pieces;
    }
  }
  return shares;
}

function stepsBack(last: Step): Step[] {
  const steps: Step[] = [];
  for (let step: Step | null = last; step !== null; step = step.before) steps.push(step);
  return steps;
}
