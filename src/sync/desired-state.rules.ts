import type { MappingStock } from '../catalog/mapping-stock.queries.js';
import type { DesiredState, OfferToPrice } from '../catalog/offers.queries.js';
import { productSimulations } from '../catalog/price-simulations.queries.js';
import { mappingTerms, supplierOffers } from '../catalog/mapping-terms.js';
import { type Cents, cents } from '../money/cents.js';
import { breakEvenPrice } from '../pricing/break-even.rules.js';
import { decideListing, type ListingDecision, type ListingInput } from '../pricing/listing-decision.rules.js';
import type { ExchangeRate } from '../pricing/exchange-rate.rules.js';
import { payableKeys, sizeWithinBalance } from '../pricing/payable-keys.rules.js';
import type { PricingTerms } from '../pricing/pricing-terms.js';
import { NO_SIMULATIONS, priceBandOf } from '../pricing/simulated-income.rules.js';

/** Ten million: what is above is a mistake in a fee or a profit, and does not fit the column. */
const LARGEST_PRICE_CENTS = 1_000_000_000;

type SellableListing = Extract<ListingDecision, { readonly isSellable: true }>;

/** What applies to every offer alike. */
export interface DesiredStateInput {
  readonly defaults: PricingTerms;
  readonly stockBuffer: number;
  readonly maxDeclaredStock: number;
  /** Set while nothing is to be sold at all; becomes the reason. */
  readonly pauseReason: string | null;
  /** `off`: what G2A said about its fees is left out of account; `all`: nothing goes on sale at prices that were not asked about. */
  readonly priceSimulation: 'off' | 'sample' | 'all';
  /** Of the currency in which the suppliers' prices are known; null: none that may be sold by. */
  readonly rate: ExchangeRate | null;
  /** By the database's clock, epoch milliseconds. */
  readonly now: number;
  /** Supplier states known only from before this time (epoch milliseconds) are too old to sell on. */
  readonly freshSince: number;
  /** Supplier states known from this time on (epoch milliseconds) are kept fresh by the feed; null: it vouches for none now. */
  readonly feedVouchesFrom: number | null;
  /** Pieces below which a buyer notices each change of stock. */
  readonly lowStock: number;
  /** What the account can pay, in euros; null: stock is not limited by it. */
  readonly payable: Cents | null;
}

/** What the offer should show, from its mapping and its suppliers. */
export function desiredState(offer: OfferToPrice, input: DesiredStateInput): DesiredState {
  const listing = listingToSell(offer, input);
  if (typeof listing === 'string') return off(listing);
  const decision = decideListing(listing);
  if (!decision.isSellable) return off(decision.reason);
  const { price, businessPrice } = decision;
  const mustHaveAsked = input.priceSimulation === 'all' && !offer.desired.isActive;
  if (mustHaveAsked && !(wasAsked(offer, price) && wasAsked(offer, businessPrice))) return off('awaiting_simulation');
  const size = sizeWithinBalance(decision.size, payableKeys(input.payable, decision.cost), input.lowStock);
  // The cost stays known: it tells which offers to look at when the balance changes.
  if (size < 1) return { ...off('balance_too_low'), costCents: decision.cost };
  return {
    priceCents: price,
    businessPriceCents: businessPrice,
    ...breakEven(decision, listing),
    size,
    isActive: true,
    reason: 'for_sale',
    costCents: decision.cost,
    incomeCents: cents(decision.cost + decision.profit),
    cwsProductId: decision.cwsProductId,
  };
}

/** Where a sale at either price starts to lose money. */
function breakEven(
  { cost, price, businessPrice }: SellableListing,
  { terms, simulations = NO_SIMULATIONS, visibility }: ListingInput,
): Pick<DesiredState, 'breakEvenCents' | 'businessBreakEvenCents'> {
  const main = visibility === 'business' ? simulations.business : simulations.retail;
  const business = visibility === 'retail' ? simulations.retail : simulations.business;
  return {
    breakEvenCents: breakEvenPrice(cost, price, terms, main),
    businessBreakEvenCents: breakEvenPrice(cost, businessPrice, terms, business),
  };
}

/** Whether G2A was asked about the band of this price, be it in vain. */
function wasAsked({ simulations }: OfferToPrice, price: Cents): boolean {
  const band = priceBandOf(price);
  return simulations.some((simulation) => priceBandOf(simulation.price) === band);
}

/** The same, but a product with absurd numbers is not for sale rather than an error: it must not stop the others. */
export function saneDesiredState(
  offer: OfferToPrice,
  input: DesiredStateInput,
): { readonly desired: DesiredState; readonly problem: string | null } {
  try {
    const desired = desiredState(offer, input);
    const highest = Math.max(desired.priceCents ?? 0, desired.businessPriceCents ?? 0);
    if (highest > LARGEST_PRICE_CENTS) throw new RangeError(`a price of ${highest} cents`);
    return { desired, problem: null };
  } catch (error) {
    return { desired: off('cannot_be_priced'), problem: String(error) };
  }
}

/** What the listing of an offer is decided from; or why it is off, whatever its prices. */
export function listingToSell(offer: OfferToPrice, input: DesiredStateInput): ListingInput | string {
  const { mapping } = offer;
  if (mapping === null) return 'unmapped';
  if (!mapping.isEnabled) return 'disabled';
  // Somebody else switched it off: switching it on again would be a fight that a seller loses.
  if (offer.deactivationReason !== null) return offer.deactivationReason;
  if (input.pauseReason !== null) return input.pauseReason;
  if (input.rate === null) return 'no_exchange_rate';
  const listing = listingInput(offer, mapping, input, input.rate);
  if (listing.suppliers.length > 0) return listing;
  return mapping.suppliers.length === 0 ? 'no_supplier_data' : 'stale';
}

/** What a listing is decided from: the suppliers that were heard of lately, with prices in euros. */
export function listingInput(
  offer: OfferToPrice,
  mapping: MappingStock,
  input: DesiredStateInput,
  rate: ExchangeRate,
): ListingInput {
  const fresh = mapping.suppliers.filter((supplier) => supplier.freshAsOf >= input.freshSince);
  return {
    suppliers: supplierOffers({ suppliers: fresh }, rate),
    terms: mappingTerms(mapping, input.defaults),
    stockBuffer: input.stockBuffer,
    maxDeclaredStock: input.maxDeclaredStock,
    marketplaceBounds: offer.marketplaceBounds,
    visibility: offer.visibility,
    simulations: input.priceSimulation === 'off' ? NO_SIMULATIONS : productSimulations(offer.simulations),
  };
}

/** Field by field equality, so that unchanged offers are not written. */
export function isSameDesiredState(a: DesiredState, b: DesiredState): boolean {
  return (
    a.priceCents === b.priceCents &&
    a.businessPriceCents === b.businessPriceCents &&
    a.breakEvenCents === b.breakEvenCents &&
    a.businessBreakEvenCents === b.businessBreakEvenCents &&
    a.size === b.size &&
    a.isActive === b.isActive &&
    a.reason === b.reason &&
    a.costCents === b.costCents &&
    a.incomeCents === b.incomeCents &&
    a.cwsProductId === b.cwsProductId
  );
}

/** Not for sale. */
export function off(reason: string): DesiredState {
  return {
    priceCents: null,
    businessPriceCents: null,
    breakEvenCents: null,
    businessBreakEvenCents: null,
    size: 0,
    isActive: false,
    reason,
    costCents: null,
    incomeCents: null,
    cwsProductId: null,
  };
}
