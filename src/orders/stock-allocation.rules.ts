import type { Cents } from '../money/cents.js';
import { keepsFloor } from '../pricing/listing-price.rules.js';
import { atWorst } from '../pricing/price-guard.rules.js';
import { type SupplierOffer, unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { addRanges, largestUpTo, mergeRanges, type QuantityRange } from './quantity-ranges.rules.js';

/** So many pieces from this supplier product, at this price each. */
export interface Allocation {
  readonly cwsProductId: string;
  readonly quantity: number;
  readonly unitPrice: Cents;
}

export interface AllocationInput {
  readonly quantity: number;
  /** `available` as of now; what others hold is already taken off. */
  readonly suppliers: readonly SupplierOffer[];
  /** What one sale leaves at worst, after fees. */
  readonly saleIncome: Cents;
  /** Loss per piece that the owner accepts; 0 for none. */
  readonly maxLoss: Cents;
}

/** Allocations for as many of the pieces as possible, cheapest first, and how many more are wanted. */
export interface AllocationResult {
  readonly allocations: readonly Allocation[];
  readonly missing: number;
  /** Some stock was passed over because it costs more than the sale brings. */
  readonly isTooDear: boolean;
}

const NOTHING: readonly QuantityRange[] = [{ from: 0, to: 0 }];

/**
 * Takes the pieces from the cheapest suppliers that have stock and keep the floor (cost <= what the sale brings after fees,
 * plus the accepted loss). Each part is bought by itself, so each must be affordable at the price of its own quantity: a
 * cheaper supplier gets less, or nothing, where the rest would otherwise be too small for a dearer one's bulk price. An
 * unconfirmed price counts where it is the dearer one.
 */
export function allocateStock(input: AllocationInput): AllocationResult {
  const { sources, isTooDear } = affordableSources(input);

  // reachable[i]: the quantities that the suppliers from i on can deliver together.
  const reachable = [NOTHING];
  for (const { ranges } of [...sources].reverse()) {
    const [rest = NOTHING] = reachable;
    reachable.unshift(addRanges(rest, mergeRanges([...NOTHING, ...ranges]), input.quantity));
  }

  const allocations: Allocation[] = [];
  const total = largestUpTo(reachable[0] ?? NOTHING, input.quantity) ?? 0;
  let wanted = total;
  sources.forEach(({ supplier, ranges }, index) => {
    const quantity = mostThatLeaves(wanted, ranges, reachable[index + 1] ?? NOTHING);
    const unitPrice = unitPriceFor(supplier.bands, quantity);
    if (quantity === 0 || unitPrice === null) return;
    allocations.push({ cwsProductId: supplier.cwsProductId, quantity, unitPrice });
    wanted -= quantity;
  });
  return { allocations, missing: input.quantity - total, isTooDear };
}

/** A supplier that keeps the floor. */
export interface AffordableSource {
  /** Its prices at worst. */
  readonly supplier: SupplierOffer;
  /** The quantities, of those in stock and wanted, at whose price it does. */
  readonly ranges: readonly QuantityRange[];
}

/** The suppliers that can serve a part of it, the cheapest first, and whether others were passed over for their price. */
export function affordableSources(input: AllocationInput): {
  readonly sources: readonly AffordableSource[];
  readonly isTooDear: boolean;
} {
  const inStock = input.suppliers
    .map(atWorst)
    .filter(
      (supplier) =>
        supplier.isReleased &&
        supplier.bands.some(
          ({ fromQuantity, unitPrice }) =>
            unitPrice > 0 && fromQuantity <= Math.min(supplier.available, input.quantity),
        ),
    );
  const sources = inStock
    .flatMap((supplier) => {
      const ranges = affordableQuantities(supplier, input);
      const unitPrice = unitPriceFor(supplier.bands, largestUpTo(ranges, input.quantity) ?? 0);
      return unitPrice === null ? [] : [{ supplier, unitPrice, ranges }];
    })
    .sort((a, b) => a.unitPrice - b.unitPrice);
  return { sources, isTooDear: sources.length < inStock.length };
}

/** The quantities, of those in stock and wanted, at whose price the supplier keeps the floor. */
function affordableQuantities(supplier: SupplierOffer, input: AllocationInput): QuantityRange[] {
  const most = Math.min(supplier.available, input.quantity);
  const starts = [
    ...new Set(supplier.bands.flatMap(({ fromQuantity, toQuantity }) => [fromQuantity, (toQuantity ?? most) + 1])),
  ]
    .filter((quantity) => quantity >= 1 && quantity <= most)
    .sort((a, b) => a - b);
  return mergeRanges(
    starts
      .map((from, index) => ({ from, to: (starts[index + 1] ?? most + 1) - 1 }))
      .filter(({ from }) => {
        const unitPrice = unitPriceFor(supplier.bands, from);
        return unitPrice !== null && unitPrice > 0 && keepsFloor(unitPrice, input.saleIncome, input.maxLoss);
      }),
  );
}

/** The largest quantity within `ranges` that leaves of `wanted` something that `rest` contains; 0 when there is none. */
function mostThatLeaves(wanted: number, ranges: readonly QuantityRange[], rest: readonly QuantityRange[]): number {
  // What is left lies between wanted - to and wanted - from: as little of it as `rest` allows.
  const quantities = ranges.flatMap(({ from, to }) =>
    rest.flatMap((left) => {
      const least = Math.max(left.from, wanted - to, 0);
      return least <= Math.min(left.to, wanted - from) ? [wanted - least] : [];
    }),
  );
  return Math.max(0, ...quantities);
}
