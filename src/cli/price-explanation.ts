import type { StoredSimulation } from '../catalog/price-simulations.queries.js';
import { type Cents, cents, formatCents } from '../money/cents.js';
import { formatPriceBands } from '../money/price-band.js';
import type { Calculation, ExplainedPrice, ListingExplanation, SupplierVerdict } from '../pricing/explain.rules.js';
import type { PriceBounds } from '../pricing/pricing-terms.js';
import type { PriceExplanation } from '../sync/explain-price.service.js';
import { describeReason } from '../sync/price-reasons.js';
import { textTable } from './text-table.js';

/** What a line says: the step, its number, and where that comes from. */
type Line = readonly [step: string, number: string, source: string];

const VERDICTS: Readonly<Record<SupplierVerdict, string>> = {
  chosen: 'chosen: the cheapest that can deliver',
  not_cheapest: 'not the cheapest, or not the first of equals',
  out_of_stock: 'no keys left',
  no_price: 'no positive price for a single key',
  price_unconfirmed: 'passed over: should its new price be true, selling at the old one loses money',
  stale: 'not heard of lately',
};

/** The explanation of a price as a person reads it, from the supplier's price down to the result. */
export function describePriceExplanation(explanation: PriceExplanation): string[] {
  const { g2aProductId, offer, mapping, listing, desired } = explanation;
  const price = desired.priceCents === null ? 'not sold' : formatCents(desired.priceCents);
  const lines: Line[] = [
    ['offer on G2A', '', offer === null ? 'none of ours is known' : `${offer.g2aOfferId}, seen by ${offer.visibility}`],
    ...rateLines(explanation),
    ...(listing === null ? [] : supplierLines(listing, explanation)),
    ...(mapping?.unseenSuppliers ?? []).map((id): Line => ['supplier', '', `${id}: not asked yet`]),
    ...(offer?.simulations ?? []).map(simulationLine),
    ...(listing?.calculation ? calculationLines(listing.calculation, listing) : []),
    ['result', price, describeReason(desired.reason)],
  ];
  return [`G2A product ${g2aProductId}, in EUR`, '', ...textTable(lines, [1])];
}

function rateLines({ rate: { last, usable, asOf } }: PriceExplanation): Line[] {
  if (last === null) return [['exchange rate', '', 'none is known']];
  if (asOf === null) return [];
  const age = usable === null ? ', too old to sell by' : '';
  return [
    [
      'exchange rate',
      last.rate,
      `EUR for one ${last.currency}, plus ${last.marginPercent} % for safety, as of ${asOf.toISOString()}${age}`,
    ],
  ];
}

function supplierLines({ suppliers }: ListingExplanation, { mapping, rate }: PriceExplanation): Line[] {
  const stored = new Map(mapping?.suppliers.map((supplier) => [supplier.cwsProductId, supplier]));
  return suppliers.flatMap(({ supplier, unitPrice, verdict }): Line[] => {
    const heard = stored.get(supplier.cwsProductId);
    const heardOf = heard === undefined ? '' : `, as of ${new Date(heard.freshAsOf).toISOString()}`;
    const isForeign = heard !== undefined && rate.asOf !== null;
    return [
      ['supplier', amount(unitPrice), `${supplier.cwsProductId}: ${VERDICTS[verdict]}`],
      ['', '', `${supplier.available} keys not spoken for${heardOf}`],
      ['', '', `prices ${formatPriceBands(supplier.bands)}`],
      ...(isForeign ? [line(`${rate.last?.currency ?? ''} ${formatPriceBands(heard.bands)}`)] : []),
      ...(supplier.unconfirmedBands ? [line(`not believed yet: ${formatPriceBands(supplier.unconfirmedBands)}`)] : []),
    ];
  });
}

function simulationLine({ price, income, businessIncome, failure, simulatedAt }: StoredSimulation): Line {
  const answer = `of ${amount(price)} G2A leaves ${amount(income)}, and ${amount(businessIncome)} of a sale to companies`;
  const at = new Date(simulatedAt).toISOString();
  return [
    'asked at G2A',
    '',
    failure === null ? `${answer}, as of ${at}` : `of ${amount(price)}, failed at ${at}: ${failure}`,
  ];
}

function calculationLines(calculation: Calculation, listing: ListingExplanation): Line[] {
  const { cost, profit, fee, bounds, charmEnding, deliverable } = calculation;
  const { decision, stockBuffer, maxDeclaredStock } = listing;
  return [
    ['cost', amount(cost), 'one key at the chosen supplier'],
    ['fixed profit', amount(profit.fixed), ''],
    ['profit of cost', amount(profit.share), `${profit.percent} %, rounded up`],
    ['profit', amount(profit.required), 'the larger of both'],
    ['fee of the price', fee.percentage, 'as a fraction'],
    ['fee per sale', amount(fee.fixed), ''],
    [
      'price, exact',
      calculation.unroundedPrice,
      `(${amount(cost)} + ${amount(profit.required)} + ${amount(fee.fixed)}) / (1 - ${fee.percentage})`,
    ],
    ['price, rounded', amount(calculation.roundedPrice), 'up to the cent'],
    ['bounds', '', `by the mapping ${describeBounds(bounds.mapping)}, by G2A ${describeBounds(bounds.marketplace)}`],
    ['charm ending', charmEnding ?? 'none', ''],
    ...calculation.prices.flatMap((price) => priceLines(price, calculation)),
    ['keys', deliverable === null ? '' : String(deliverable), 'of suppliers whose single key this price pays for'],
    [
      'declared stock',
      String(decision.isSellable ? decision.size : 0),
      `those less a buffer of ${stockBuffer}, at most ${maxDeclaredStock}`,
    ],
  ];
}

function priceLines(price: ExplainedPrice, { cost, roundedPrice }: Calculation): Line[] {
  const of = price.audience === 'retail' ? 'consumers' : 'companies';
  const { simulations, simulatedIncome, simulatedPrice, boundedPrice, charmingPrice } = price;
  const fees = simulations.map((each) => `${each.feePercentage} at ${amount(each.price)}`).join(', ');
  return [
    [
      `for ${of}: G2A says`,
      amount(simulatedIncome),
      simulatedIncome === null
        ? 'nothing about such prices yet: the configured fee stands'
        : `is left of ${amount(roundedPrice)}; its real fees: ${fees}`,
    ],
    [
      '  raised to',
      amount(simulatedPrice),
      simulatedPrice === null ? describeReason('no_profitable_price') : 'so that enough is left',
    ],
    ['  within bounds', amount(boundedPrice), boundedPrice === null ? 'impossible' : ''],
    ['  with the ending', amount(charmingPrice), ''],
    ['  price', amount(price.price), price.obstacle === null ? '' : describeReason(price.obstacle)],
    ...saleLines(price, cost),
  ];
}

function saleLines({ price, income }: ExplainedPrice, cost: Cents): Line[] {
  if (price === null || income === null) return [];
  return [
    ['  fees of that', amount(cents(price - income)), 'at worst'],
    ['  income', amount(income), ''],
    ['  profit', amount(cents(income - cost)), 'income less cost'],
  ];
}

function describeBounds({ minPrice, maxPrice }: PriceBounds): string {
  const bounds = [
    ...(minPrice === null ? [] : [`at least ${formatCents(minPrice)}`]),
    ...(maxPrice === null ? [] : [`at most ${formatCents(maxPrice)}`]),
  ];
  return bounds.join(' and ') || 'none';
}

function line(text: string): Line {
  return ['', '', text];
}

/** "-" for none. */
export function amount(value: Cents | null): string {
  return value === null ? '-' : formatCents(value);
}
