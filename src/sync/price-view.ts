import type { PublishedPrice } from '../catalog/price-history.queries.js';
import type { MappingSupplier } from '../catalog/mapping-stock.queries.js';
import type { StoredSimulation } from '../catalog/price-simulations.queries.js';
import { type Cents, cents, formatCents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import type { Calculation, ExplainedPrice, ExplainedSupplier } from '../pricing/explain.rules.js';
import type { PriceBounds } from '../pricing/pricing-terms.js';
import type { PriceExplanation } from './explain-price.service.js';
import { describeReason } from './price-reasons.js';

// What programs get to see of prices, from the command line and from /admin alike: money as decimal text.

/** The explanation of a price as JSON, in the order of the reckoning. */
export function priceExplanationView(explanation: PriceExplanation) {
  const { g2aProductId, offer, mapping, listing, desired, rate } = explanation;
  const heardOf = new Map(mapping?.suppliers.map((supplier) => [supplier.cwsProductId, supplier]));
  return {
    g2aProductId,
    isForSale: desired.isActive,
    reason: desired.reason,
    why: describeReason(desired.reason),
    price: money(desired.priceCents),
    businessPrice: money(desired.businessPriceCents),
    size: desired.size,
    offer:
      offer === null
        ? null
        : {
            g2aOfferId: offer.g2aOfferId,
            visibility: offer.visibility,
            isDeactivated: offer.deactivationReason !== null,
          },
    isMapped: mapping !== null,
    isEnabled: mapping?.isEnabled ?? false,
    /** Null where none is needed, or none is known. */
    exchangeRate:
      rate.last === null || rate.asOf === null
        ? null
        : {
            currency: rate.last.currency,
            rate: rate.last.rate,
            marginPercent: rate.last.marginPercent,
            asOf: rate.asOf,
            isUsable: rate.usable !== null,
          },
    suppliers: listing?.suppliers.map((each) => supplierView(each, heardOf.get(each.supplier.cwsProductId))) ?? [],
    unseenSuppliers: mapping?.unseenSuppliers ?? [],
    calculation: listing?.calculation ? calculationView(listing.calculation) : null,
    /** What G2A was asked about the product, whether or not it counts. */
    simulations: (offer?.simulations ?? []).map(simulationView),
    stock:
      listing === null
        ? null
        : {
            deliverable: listing.calculation?.deliverable ?? null,
            buffer: listing.stockBuffer,
            maximum: listing.maxDeclaredStock,
          },
  };
}

/** A published price as JSON. `margin` is income less cost, of a sale to consumers unless only companies see the offer. */
export function publishedPriceView({ retailPrice, businessPrice, cost, income, ...rest }: PublishedPrice) {
  return {
    at: rest.at,
    retailPrice: money(retailPrice),
    businessPrice: money(businessPrice),
    cost: money(cost),
    income: money(income),
    margin: cost === null || income === null ? null : money(cents(income - cost)),
    cwsProductId: rest.cwsProductId,
  };
}

function supplierView({ supplier, unitPrice, verdict }: ExplainedSupplier, stored: MappingSupplier | undefined) {
  return {
    cwsProductId: supplier.cwsProductId,
    verdict,
    available: supplier.available,
    freshAsOf: stored === undefined ? null : new Date(stored.freshAsOf),
    /** In the account's currency, as the supplier names them. */
    accountBands: stored === undefined ? null : bandsView(stored.bands),
    bands: bandsView(supplier.bands),
    /** Shown by the supplier and not believed yet; null when there are none. */
    unconfirmedBands: supplier.unconfirmedBands ? bandsView(supplier.unconfirmedBands) : null,
    unitPrice: money(unitPrice),
  };
}

function simulationView({ price, income, businessIncome, failure, simulatedAt }: StoredSimulation) {
  return {
    price: money(price),
    income: money(income),
    businessIncome: money(businessIncome),
    failure,
    at: new Date(simulatedAt),
  };
}

function calculationView({ profit, fee, bounds, prices, ...rest }: Calculation) {
  return {
    cwsProductId: rest.cwsProductId,
    cost: money(rest.cost),
    profit: {
      fixed: money(profit.fixed),
      percent: profit.percent,
      share: money(profit.share),
      required: money(profit.required),
    },
    fee: { percentage: fee.percentage, fixed: money(fee.fixed) },
    unroundedPrice: rest.unroundedPrice,
    roundedPrice: money(rest.roundedPrice),
    bounds: { mapping: boundsView(bounds.mapping), marketplace: boundsView(bounds.marketplace) },
    charmEnding: rest.charmEnding,
    prices: prices.map(shownPriceView),
  };
}

function shownPriceView({ audience, simulations, obstacle, ...amounts }: ExplainedPrice) {
  return {
    audience,
    simulations: simulations.map(({ price, income, feePercentage }) => ({
      price: money(price),
      income: money(income),
      feePercentage,
    })),
    simulatedIncome: money(amounts.simulatedIncome),
    simulatedPrice: money(amounts.simulatedPrice),
    boundedPrice: money(amounts.boundedPrice),
    charmingPrice: money(amounts.charmingPrice),
    price: money(amounts.price),
    obstacle,
    income: money(amounts.income),
  };
}

function boundsView({ minPrice, maxPrice }: PriceBounds) {
  return { minPrice: money(minPrice), maxPrice: money(maxPrice) };
}

function bandsView(bands: readonly PriceBand[]) {
  return bands.map(({ fromQuantity, toQuantity, unitPrice }) => ({
    fromQuantity,
    toQuantity,
    unitPrice: money(unitPrice),
  }));
}

function money(amount: Cents | null): string | null {
  return amount === null ? null : formatCents(amount);
}
