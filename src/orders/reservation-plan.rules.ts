import { splitCart } from './cart-split.rules.js';
import { defaultTerms, mappingTerms, supplierOffers } from '../catalog/mapping-terms.js';
import type { AppConfig } from '../config/app-config.js';
import { type Cents, cents, NO_CENTS } from '../money/cents.js';
import { decideListing, keysWithin } from '../pricing/listing-decision.rules.js';
import type { ExchangeRate } from '../pricing/exchange-rate.rules.js';
import type { PricingTerms } from '../pricing/pricing-terms.js';
import { netIncome } from '../pricing/listing-price.rules.js';
import { incomeAtWorst, type SimulatedIncome } from '../pricing/simulated-income.rules.js';
import { type SupplierOffer, unitPriceFor } from '../pricing/supplier-choice.rules.js';
import { InsufficientStockError, ProductNotFoundError, StockUnknownError, UnprofitableError } from './order-errors.js';
import type { ReservableProduct } from './reservable-stock.queries.js';
import { affordableSources, type Allocation, allocateStock } from './stock-allocation.rules.js';

/** One product that a customer wants; each product at most once. */
export interface RequestedItem {
  readonly g2aProductId: number;
  /** 1 or more. */
  readonly quantity: number;
  /** As G2A wrote them; kept for people. */
  readonly quotedUnitPrice: string | null;
  readonly quotedBasePrice: string | null;
}

/** What others can still reserve of a product. */
export interface ProductStock {
  readonly g2aProductId: number;
  readonly inventorySize: number;
}

/** A requested item, where its pieces come from, and the lowest price that the sale may bring. */
export type PlannedItem<Item extends RequestedItem = RequestedItem> = Item & {
  readonly salePriceCents: Cents;
  /** What that leaves after fees. */
  readonly saleIncomeCents: Cents;
  readonly allocations: readonly Allocation[];
};

export interface ReservationPlan<Item extends RequestedItem = RequestedItem> {
  readonly items: readonly PlannedItem<Item>[];
  /** In the order of the request. */
  readonly stock: readonly ProductStock[];
}

type Products = ReadonlyMap<number, ReservableProduct>;
/** Pieces that the reservation itself takes, by CWS product: two of its products may share one. */
type Taken = ReadonlyMap<string, number>;

export interface PlanSettings {
  readonly defaults: PricingTerms;
  /** Of the currency in which the suppliers' prices are known. */
  readonly rate: ExchangeRate;
  readonly stockBuffer: number;
  readonly maxDeclaredStock: number;
  /** Whether what G2A said about its fees counts. */
  readonly usesSimulations: boolean;
  /** Supplier states known only from before this time (epoch milliseconds) are too old to sell on. */
  readonly freshSince: number;
}

/** @returns the settings at a moment (database time, epoch milliseconds); what does not change with time is read only once. */
export function planSettings(config: AppConfig): (now: number, rate: ExchangeRate) => PlanSettings {
  const { stockBuffer, maxDeclaredStock, staleAfterSeconds } = config;
  const defaults = defaultTerms(config);
  const usesSimulations = config.priceSimulation !== 'off';
  return (now, rate) => ({
    defaults,
    rate,
    stockBuffer,
    maxDeclaredStock,
    usesSimulations,
    freshSince: now - staleAfterSeconds * 1000,
  });
}

/**
 * Where each item's pieces come from: all items or none. The cheapest suppliers serve, unless then somebody would get nothing.
 * What it may still miss: a cart of several items that share suppliers, of which one can be afforded at a bulk price alone (such a
 * part is never made smaller or larger for another item), or one at whose product nothing is shown yet, so that its price depends
 * on who serves it.
 * @throws ProductNotFoundError, InsufficientStockError, UnprofitableError, StockUnknownError
 */
export function planReservation<Item extends RequestedItem>(
  requested: readonly Item[],
  products: Products,
  settings: PlanSettings,
): ReservationPlan<Item> {
  const wanted = requested.map((item) => ({ item, product: enabledProduct(item.g2aProductId, products) }));
  // The item with the fewest suppliers chooses first, so that another does not take the only one it has.
  wanted.sort((a, b) => usableSuppliers(a.product, settings) - usableSuppliers(b.product, settings));
  const { items, taken } = planCart(wanted, settings);
  const stock = requested.map(({ g2aProductId }) => productStock(g2aProductId, products, settings, taken));
  return { items, stock };
}

interface WantedItem<Item extends RequestedItem> {
  readonly item: Item;
  readonly product: ReservableProduct;
}

interface PlannedCart<Item extends RequestedItem> {
  readonly items: readonly PlannedItem<Item>[];
  readonly taken: Taken;
}

/** Cheapest first, and if that fails, so that all are served: a reservation that could be honored must never fail. */
function planCart<Item extends RequestedItem>(
  wanted: readonly WantedItem<Item>[],
  settings: PlanSettings,
): PlannedCart<Item> {
  try {
    return planInAnyOrder(wanted, settings);
  } catch (error) {
    const planned = wanted.length > 1 ? planTogether(wanted, settings) : null;
    if (planned === null) throw error;
    return planned;
  }
}

/** Plans all items at once; null when no split is found. */
function planTogether<Item extends RequestedItem>(
  wanted: readonly WantedItem<Item>[],
  settings: PlanSettings,
): PlannedCart<Item> | null {
  const demands = wanted.flatMap(({ item, product }) => {
    const { suppliers, revenue } = sale(product, new Map(), settings);
    if (revenue === null) return [];
    const { sources } = affordableSources({
      quantity: item.quantity,
      suppliers,
      saleIncome: revenue.income,
      maxLoss: NO_CENTS,
    });
    // The split may leave a supplier any part below its most, so every one of them must be affordable: a range that begins at one, up to
    // its first gap. Where only more than one piece can be afforded, nothing is (see planReservation for what that misses).
    const most = new Map(
      sources.map(({ supplier, ranges: [first] }) => [supplier.cwsProductId, first?.from === 1 ? first.to : 0]),
    );
    return [{ item, revenue, suppliers: sources.map(({ supplier }) => supplier), quantity: item.quantity, most }];
  });
  if (demands.length < wanted.length) return null;
  const available = new Map(
    demands.flatMap(({ suppliers }) => suppliers.map((supplier) => [supplier.cwsProductId, supplier.available])),
  );
  const shares = splitCart(demands, available);
  if (shares === null) return null;
  const taken = new Map<string, number>();
  const items = demands.map(({ item, revenue, suppliers }, index) => {
    const allocations = suppliers.flatMap(({ cwsProductId, bands }) => {
      const quantity = shares[index]?.get(cwsProductId) ?? 0;
      const unitPrice = unitPriceFor(bands, quantity);
      return quantity === 0 || unitPrice === null ? [] : [{ cwsProductId, quantity, unitPrice }];
    });
    addTo(taken, allocations);
    return { ...item, salePriceCents: revenue.price, saleIncomeCents: revenue.income, allocations };
  });
  return { items, taken };
}

function addTo(taken: Map<string, number>, allocations: readonly Allocation[]): void {
  for (const { cwsProductId, quantity } of allocations) {
    taken.set(cwsProductId, (taken.get(cwsProductId) ?? 0) + quantity);
  }
}

/**
 * Plans the items one after the other. One that finds nothing left, because those before it took what it needs, is planned
 * again as the first, each at most once.
 */
function planInAnyOrder<Item extends RequestedItem>(
  wanted: readonly WantedItem<Item>[],
  settings: PlanSettings,
  movedForward: ReadonlySet<number> = new Set(),
): PlannedCart<Item> {
  const taken = new Map<string, number>();
  const items: PlannedItem<Item>[] = [];
  for (const current of wanted) {
    try {
      items.push(planItem(current.item, current.product, taken, settings));
    } catch (error) {
      const { g2aProductId } = current.item;
      if (items.length === 0 || movedForward.has(g2aProductId)) throw error;
      const others = wanted.filter((other) => other !== current);
      return planInAnyOrder([current, ...others], settings, new Set([...movedForward, g2aProductId]));
    }
    addTo(taken, items.at(-1)?.allocations ?? []);
  }
  return { items, taken };
}

function usableSuppliers(product: ReservableProduct, { freshSince }: PlanSettings): number {
  return product.suppliers.filter(({ available, freshAsOf }) => available > 0 && freshAsOf >= freshSince).length;
}

/** What can be reserved of a product now at the price that G2A shows; 0 when it is unknown or disabled. */
export function productStock(
  g2aProductId: number,
  products: Products,
  settings: PlanSettings,
  taken: Taken = new Map(),
): ProductStock {
  const product = products.get(g2aProductId);
  if (!product?.isEnabled) return { g2aProductId, inventorySize: 0 };
  const { suppliers, revenue } = sale(product, taken, settings);
  return { g2aProductId, inventorySize: revenue === null ? 0 : keysWithin(revenue.income, suppliers) };
}

/**
 * CWS ids of the suppliers of these products that were last heard of before `time` (epoch milliseconds), or never.
 * @param heard `freshAsOf`: a feed that is believed vouches for them; `requestedAt`: only what CWS said about the product itself counts.
 */
export function suppliersOlderThan(
  time: number,
  products: Products,
  heard: 'freshAsOf' | 'requestedAt' = 'freshAsOf',
): string[] {
  const old = [...products.values()].flatMap((product) => [
    ...product.unseenSuppliers,
    ...product.suppliers.filter((supplier) => supplier[heard] < time).map(({ cwsProductId }) => cwsProductId),
  ]);
  return [...new Set(old)];
}

/** @throws ProductNotFoundError for a product that is not mapped, or disabled. */
export function enabledProduct(g2aProductId: number, products: Products): ReservableProduct {
  const product = products.get(g2aProductId);
  if (!product?.isEnabled) throw new ProductNotFoundError(g2aProductId);
  return product;
}

/** What the planned pieces cost where they come from, in the account's currency; a price that is not believed yet counts where it is dearer. */
export function costAtSuppliers(items: readonly PlannedItem[], products: Products): Cents {
  let cost = 0;
  for (const { g2aProductId, allocations } of items) {
    for (const { cwsProductId, quantity } of allocations) {
      const supplier = products.get(g2aProductId)?.suppliers.find((one) => one.cwsProductId === cwsProductId);
      const bands = [...(supplier?.bands ?? []), ...(supplier?.unconfirmedBands ?? [])];
      cost += quantity * (unitPriceFor(bands, quantity) ?? 0);
    }
  }
  return cents(cost);
}

function planItem<Item extends RequestedItem>(
  requested: Item,
  product: ReservableProduct,
  taken: Taken,
  settings: PlanSettings,
): PlannedItem<Item> {
  const { g2aProductId, quantity } = requested;
  const { suppliers, revenue } = sale(product, taken, settings);
  const { allocations, missing, isTooDear } = allocateStock({
    quantity,
    suppliers,
    // Nothing is known to be shown and nothing could be listed: no price, so nothing is affordable.
    saleIncome: revenue?.income ?? NO_CENTS,
    maxLoss: NO_CENTS,
  });
  if (revenue === null || missing > 0) {
    const isAllKnown = product.unseenSuppliers.length === 0 && suppliers.length === product.suppliers.length;
    if (!isAllKnown) throw new StockUnknownError(g2aProductId);
    if (isTooDear) throw new UnprofitableError(g2aProductId);
    throw new InsufficientStockError(g2aProductId, quantity - missing);
  }
  return { ...requested, salePriceCents: revenue.price, saleIncomeCents: revenue.income, allocations };
}

/** The suppliers that may serve a sale, and what it brings at worst: null when nothing is shown and nothing could be. */
function sale(
  product: ReservableProduct,
  taken: Taken,
  { defaults, rate, freshSince, stockBuffer, maxDeclaredStock, usesSimulations }: PlanSettings,
): { suppliers: SupplierOffer[]; revenue: SimulatedIncome | null } {
  const fresh = product.suppliers.filter(({ freshAsOf }) => freshAsOf >= freshSince);
  const suppliers = supplierOffers({ suppliers: fresh }, rate).map((supplier) => ({
    ...supplier,
    available: supplier.available - (taken.get(supplier.cwsProductId) ?? 0),
  }));
  const terms = mappingTerms(product, defaults);
  const { shownPriceCents: price } = product;
  if (price !== null)
    return { suppliers, revenue: { price, income: worstIncome(product, price, terms, usesSimulations) } };
  const decision = decideListing({ suppliers, terms, stockBuffer, maxDeclaredStock });
  if (!decision.isSellable) return { suppliers, revenue: null };
  return { suppliers, revenue: { price: decision.price, income: cents(decision.cost + decision.profit) } };
}

/** What a sale leaves at worst: to a consumer at the lowest price shown, or to a company at the lowest that it may see. */
function worstIncome(product: ReservableProduct, price: Cents, terms: PricingTerms, usesSimulations: boolean): Cents {
  const { visibility, businessPriceCents } = product;
  const said = usesSimulations ? product.simulations : [];
  const retail = said.flatMap(([asked, income]) => (income === null ? [] : [{ price: asked, income }]));
  const business = said.flatMap(([asked, , income]) => (income === null ? [] : [{ price: asked, income }]));
  const incomes = [
    ...(visibility === 'business' ? [] : [incomeAtWorst(price, terms, retail)]),
    ...(businessPriceCents === null ? [] : [incomeAtWorst(businessPriceCents, terms, business)]),
  ];
  return incomes.reduce((least, income) => (income < least ? income : least), netIncome(price, terms));
}
