import { alternativeEntry, type CatalogEntry, catalogEntry, cwsAlternativeProductId, cwsProductId } from './catalog.js';
import { type CwsBehaviors } from './cws-behaviors.js';
import { HttpFault } from './http-fault.js';
import { type Band, toCents, toWire, type WireBand } from './wire-money.js';

/** A product in the supplier's memory. Times are ms of the supplier's clock. */
export interface CwsProduct {
  readonly productId: string;
  readonly name: string;
  readonly identifier: string;
  readonly platform: string;
  readonly region: string;
  quantity: number;
  bands: readonly Band[];
  releaseDate: string;
  isGone: boolean;
  readonly createdAtMs: number;
  updatedAtMs: number;
}

/** What the control API may change of a product; fields left out stay. */
export interface ProductChange {
  quantity?: number;
  prices?: WireBand[];
  /** ISO 8601. */
  releaseDate?: string;
  /** True hides the product from lists and answers 404 for it. */
  gone?: boolean;
}

export interface ProductFilter {
  productIds?: ReadonlySet<string>;
  updatedSinceMs?: number;
  createdSinceMs?: number;
  platform?: string;
  region?: string;
}

export interface SupplierSettings {
  pageSize: number;
  /** Whether `updatedSince` reports a change at exactly that time; the reference does not say. */
  updatedSinceInclusive: boolean;
  /** How far the supplier's clock is ahead of ours (negative: behind). */
  clockOffsetMs: number;
}

/** The supplier's price list, account balance and clock. */
export class CwsSupplier {
  balanceCents: number;
  private readonly products: CwsProduct[];
  private readonly byId: ReadonlyMap<string, CwsProduct>;

  constructor(
    options: { products: number; alternatives: number; balance: number },
    readonly settings: SupplierSettings,
    private readonly behaviors: CwsBehaviors,
  ) {
    this.balanceCents = toCents(options.balance);
    const listedAtMs = this.nowMs() - 86_400_000;
    const numbers = Array.from({ length: options.products }, (_unused, index) => index + 1);
    const alternatives = numbers.slice(0, options.alternatives);
    this.products = [
      ...numbers.map((number) => listed(cwsProductId(number), 'A', catalogEntry(number), listedAtMs)),
      ...alternatives.map((number) =>
        listed(cwsAlternativeProductId(number), 'B', alternativeEntry(number), listedAtMs),
      ),
    ];
    this.byId = new Map(this.products.map((product) => [product.productId, product]));
  }

  nowMs(): number {
    return Date.now() + this.settings.clockOffsetMs;
  }

  /** The product, unless it is unknown or gone: then 404/20001. */
  product(productId: string): CwsProduct {
    const product = this.byId.get(productId);
    if (!product || product.isGone) throw productNotFound(productId);
    return product;
  }

  /**
   * One page from `cursor` on; `nextCursor` is null on the last one. The cursor is a place in the list, or among the ids
   * asked for, so nothing is skipped.
   */
  page(filter: ProductFilter, cursor: number): { items: CwsProduct[]; nextCursor: number | null } {
    const items: CwsProduct[] = [];
    const { productIds } = filter;
    const candidates = productIds === undefined ? this.products : [...productIds].map((id) => this.byId.get(id));
    for (let index = cursor; index < candidates.length; index += 1) {
      const product = candidates[index];
      if (!product || !this.matches(product, filter)) continue;
      if (items.length === this.settings.pageSize) return { items, nextCursor: index };
      items.push(product);
    }
    return { items, nextCursor: null };
  }

  /** Changes a product, gone ones too, and stamps it unless `feedHidesChanges`. */
  setProduct(productId: string, change: ProductChange): CwsProduct {
    const product = this.byId.get(productId);
    if (!product) throw productNotFound(productId);
    product.quantity = change.quantity ?? product.quantity;
    product.bands = change.prices?.map(({ value, from, to }) => ({ cents: toCents(value), from, to })) ?? product.bands;
    product.releaseDate = change.releaseDate ?? product.releaseDate;
    product.isGone = change.gone ?? product.isGone;
    if (!this.behaviors.take('feedHidesChanges', { subjects: [productId] })) product.updatedAtMs = this.nowMs();
    return product;
  }

  private matches(product: CwsProduct, filter: ProductFilter): boolean {
    const { updatedSinceMs, createdSinceMs, platform, region } = filter;
    return (
      !product.isGone &&
      (updatedSinceMs === undefined || this.isSince(product.updatedAtMs, updatedSinceMs)) &&
      (createdSinceMs === undefined || this.isSince(product.createdAtMs, createdSinceMs)) &&
      (platform === undefined || platform === product.platform) &&
      (region === undefined || region === product.region)
    );
  }

  private isSince(atMs: number, sinceMs: number): boolean {
    return this.settings.updatedSinceInclusive ? atMs >= sinceMs : atMs > sinceMs;
  }
}

/** A product as it goes over the wire. */
export function renderProduct(product: CwsProduct): Record<string, unknown> {
  return {
    productId: product.productId,
    identifier: product.identifier,
    name: product.name,
    platform: product.platform,
    quantity: product.quantity,
    regions: [product.region],
    languages: ['Multilanguage'],
    regionDescription: null,
    badges: [],
    images: [],
    prices: product.bands.map(({ cents, from, to }) => ({ value: toWire(cents), from, to })),
    releaseDate: product.releaseDate,
  };
}

function listed(productId: string, listing: string, entry: CatalogEntry, listedAtMs: number): CwsProduct {
  return {
    productId,
    identifier: `SBX${entry.number}${listing}`,
    name: entry.name,
    platform: entry.platform,
    region: entry.region,
    quantity: entry.quantity,
    bands: entry.bands,
    releaseDate: '2020-08-26T22:00:00.000Z',
    isGone: false,
    createdAtMs: listedAtMs,
    updatedAtMs: listedAtMs,
  };
}

function productNotFound(productId: string): HttpFault {
  return new HttpFault(404, 20001, `Product ${productId} is not in the price list.`);
}
