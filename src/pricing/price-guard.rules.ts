import type { Cents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import { type SupplierOffer, unitPriceFor } from './supplier-choice.rules.js';

/**
 * Why a supplier's price is not believed:
 * - `price_missing`, `price_zero`: a single key had a price, and has none any more, or one that is not positive;
 * - `price_changed`: the price of some quantity changed by more than is plausible, or disappeared.
 */
export type SuspicionReason = 'price_missing' | 'price_zero' | 'price_changed';

/** A price that the supplier shows and that is not believed yet. */
export interface UnconfirmedPrice {
  readonly bands: readonly PriceBand[];
  /** When the question was sent whose answer showed it first. */
  readonly since: Date;
  readonly reason: SuspicionReason;
}

/** What is known of a supplier product's price. */
export interface GuardedPrice {
  /** The last ones that were believed; empty when there never were any. */
  readonly accepted: readonly PriceBand[];
  readonly unconfirmed: UnconfirmedPrice | null;
}

/** How much is believed, and for how long it is not. */
export interface PriceGuard {
  /** Whole percent, 1 or more, of the accepted price. */
  readonly maxChangePercent: number;
  /** The least time between the first sight of a price and the one that confirms it. */
  readonly confirmAfterSeconds: number;
}

/** What the supplier has answered. */
export interface PriceReport {
  readonly bands: readonly PriceBand[];
  /** When the question was sent. */
  readonly requestedAt: Date;
  /** It was asked for this very product. A feed of changes repeats itself and never confirms. */
  readonly isAskedById: boolean;
}

/**
 * What a report made of the price: `suspected` anew, `confirmed` by being seen again, or `withdrawn`, because a plausible one
 * is shown instead.
 */
export type PriceEvent =
  { readonly kind: 'suspected'; readonly reason: SuspicionReason } | { readonly kind: 'confirmed' | 'withdrawn' };

/**
 * Whether reported prices can be believed against the accepted ones, at every quantity where a band of either starts. A
 * product that had no price so far is believed.
 * @returns null when they can.
 */
export function judgePriceBands(
  accepted: readonly PriceBand[],
  reported: readonly PriceBand[],
  maxChangePercent: number,
): SuspicionReason | null {
  if (isPositive(unitPriceFor(accepted, 1))) {
    const single = unitPriceFor(reported, 1);
    if (single === null) return 'price_missing';
    if (!isPositive(single)) return 'price_zero';
  }
  const isImplausible = quantitiesThatMatter([...accepted, ...reported]).some((quantity) => {
    const known = unitPriceFor(accepted, quantity);
    const seen = unitPriceFor(reported, quantity);
    if (!isPositive(known)) return false;
    return !isPositive(seen) || BigInt(Math.abs(seen - known)) * 100n > BigInt(known) * BigInt(maxChangePercent);
  });
  return isImplausible ? 'price_changed' : null;
}

/**
 * What is known after a report. A suspicious price is believed once the supplier, asked for the product by id at least
 * `confirmAfterSeconds` after the first time, shows the same again. A price that is not there can be seen again as often as it
 * likes: there is nothing to believe, and the last accepted one stays what the next is measured by.
 * @param known null for a product that was never seen.
 */
export function guardPrice(
  known: GuardedPrice | null,
  report: PriceReport,
  guard: PriceGuard,
): { readonly price: GuardedPrice; readonly event: PriceEvent | null } {
  const { bands, requestedAt } = report;
  const { accepted, unconfirmed } = known ?? { accepted: [], unconfirmed: null };
  const reason = judgePriceBands(accepted, bands, guard.maxChangePercent);
  if (reason === null) {
    return {
      price: { accepted: bands, unconfirmed: null },
      event: unconfirmed === null ? null : { kind: 'withdrawn' },
    };
  }
  if (unconfirmed === null || !isSamePriceList(unconfirmed.bands, bands)) {
    return {
      price: { accepted, unconfirmed: { bands, since: requestedAt, reason } },
      event: { kind: 'suspected', reason },
    };
  }
  const confirmsFromMs = unconfirmed.since.getTime() + guard.confirmAfterSeconds * 1000;
  if (reason === 'price_changed' && report.isAskedById && requestedAt.getTime() >= confirmsFromMs) {
    return { price: { accepted: bands, unconfirmed: null }, event: { kind: 'confirmed' } };
  }
  return { price: { accepted, unconfirmed }, event: null };
}

/**
 * The supplier as it must be counted on when keys are promised and bought: while a price is unconfirmed, each quantity costs
 * the dearer of the accepted and the unconfirmed price, and a quantity that lacks one of them cannot be bought.
 */
export function atWorst(supplier: SupplierOffer): SupplierOffer {
  const { bands, unconfirmedBands = null } = supplier;
  if (unconfirmedBands === null) return supplier;
  const both = [...bands, ...unconfirmedBands];
  const starts = quantitiesThatMatter(both);
  const worst = starts.flatMap((fromQuantity, index): PriceBand[] => {
    const prices = [unitPriceFor(bands, fromQuantity), unitPriceFor(unconfirmedBands, fromQuantity)];
    const unitPrice = unitPriceFor(both, fromQuantity);
    if (unitPrice === null || !prices.every(isPositive)) return [];
    const next = starts[index + 1];
    return [{ fromQuantity, toQuantity: next === undefined ? null : next - 1, unitPrice }];
  });
  return { ...supplier, bands: worst, unconfirmedBands: null };
}

/** Where a price begins or ends: between two of them, ascending, each price list has one price or none. */
function quantitiesThatMatter(bands: readonly PriceBand[]): number[] {
  const starts = bands.flatMap(({ fromQuantity, toQuantity }) =>
    toQuantity === null ? [fromQuantity] : [fromQuantity, toQuantity + 1],
  );
  return [...new Set(starts)].sort((a, b) => a - b);
}

/** Whether both ask the same for every quantity. */
export function isSamePriceList(one: readonly PriceBand[], other: readonly PriceBand[]): boolean {
  return quantitiesThatMatter([...one, ...other]).every(
    (quantity) => unitPriceFor(one, quantity) === unitPriceFor(other, quantity),
  );
}

function isPositive(price: Cents | null): price is Cents {
  return price !== null && price > 0;
}
