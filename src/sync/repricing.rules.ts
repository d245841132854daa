import { createHash } from 'node:crypto';
import type { DesiredState, OfferToPrice } from '../catalog/offers.queries.js';
import type { LastPricing, OfferPricing, PricedInputs } from '../catalog/repricings.queries.js';
import { type Cents, cents } from '../money/cents.js';
import type { DesiredStateInput } from './desired-state.rules.js';

/** A size that differs from the right one by nothing that a buyer would notice is published after this time at the latest. */
export const SIZE_HELD_MS = 15 * 60_000;

/** An offer as it was decided, with what tells when to decide anew. */
export interface PricedOffer {
  readonly desired: DesiredState;
  readonly pricing: OfferPricing;
}

/** The decided state as it is to be published now: a change of nothing but plenty of stock waits. */
export function pricedOffer(offer: OfferToPrice, decided: DesiredState, input: DesiredStateInput): PricedOffer {
  const isHeld = isCosmetic(offer.desired, decided, input.lowStock);
  const since = isHeld ? (offer.lastPricing.sizeHeldSince ?? input.now) : null;
  const sizeHeldSince = since !== null && input.now - since < SIZE_HELD_MS ? since : null;
  const { staleSuppliers, nextStaleAt } = freshness(offer, input);
  const changes = [
    nextStaleAt,
    ...(offer.nextReleaseAt === null ? [] : [offer.nextReleaseAt]),
    ...(sizeHeldSince === null ? [] : [sizeHeldSince + SIZE_HELD_MS]),
  ];
  const nextChangeAt = Math.min(...changes);
  return {
    desired: sizeHeldSince === null ? decided : { ...decided, size: offer.desired.size },
    pricing: {
      nextChangeAt: Number.isFinite(nextChangeAt) ? nextChangeAt : null,
      heldPieces: offer.heldPieces,
      staleSuppliers,
      sizeHeldSince,
    },
  };
}

/** Whether the last pricing says something else than this one, or its time is over. */
export function isPricingOutdated(last: LastPricing, pricing: OfferPricing, now: number): boolean {
  return (
    last.repriceAt <= now ||
    (pricing.nextChangeAt !== null && pricing.nextChangeAt < last.repriceAt) ||
    last.heldPieces !== pricing.heldPieces ||
    last.staleSuppliers !== pricing.staleSuppliers ||
    last.sizeHeldSince !== pricing.sizeHeldSince
  );
}

/**
 * What applies to every offer alike, as one word: when it changes, all of them are priced. Left out is what moves on all the
 * time, and touches only offers that are found by other means.
 * @param pricer the process that prices: another one may have other rules or settings, or have missed something.
 */
export function hashOfInputs(input: DesiredStateInput, pricer: string): string {
  const movingOn = { now: null, freshSince: null, feedVouchesFrom: null, payable: null };
  const inputs = { ...input, ...movingOn, pricer, isFeedVouching: input.feedVouchesFrom !== null };
  const json = JSON.stringify(inputs, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return createHash('sha256').update(json).digest('hex');
}

/**
 * The balance limits what costs more than its share of LOW_STOCK keys.
 * @returns the cost in cents above which offers have to be priced because the balance changed; null: none.
 */
export function costLimitedAbove(last: PricedInputs, { payable, lowStock }: DesiredStateInput): Cents | null {
  if (last.payable === payable || lowStock === 0) return null;
  const lowest = Math.min(last.payable ?? Infinity, payable ?? Infinity);
  return cents(Math.floor(Math.max(lowest, 0) / lowStock));
}

/** A difference of stock that no buyer would notice, and nothing else that G2A is told. */
function isCosmetic(before: DesiredState, decided: DesiredState, lowStock: number): boolean {
  return (
    before.isActive &&
    decided.isActive &&
    before.priceCents === decided.priceCents &&
    before.businessPriceCents === decided.businessPriceCents &&
    before.size !== decided.size &&
    Math.min(before.size, decided.size) >= lowStock
  );
}

/** How many suppliers are stale, and when the next one will be though nothing else happens; Infinity: never. */
function freshness({ mapping }: OfferToPrice, { now, freshSince, feedVouchesFrom }: DesiredStateInput) {
  const maxAgeMs = now - freshSince;
  const suppliers = mapping?.suppliers ?? [];
  const fresh = suppliers.filter(({ freshAsOf }) => freshAsOf >= freshSince);
  const onTheirOwn = fresh.filter(({ freshAsOf }) => feedVouchesFrom === null || freshAsOf < feedVouchesFrom);
  return {
    staleSuppliers: suppliers.length - fresh.length,
    nextStaleAt: Math.min(Infinity, ...onTheirOwn.map(({ freshAsOf }) => freshAsOf + maxAgeMs)),
  };
}
