import type { EntityManager } from 'typeorm';
import type { PriceGuard } from '../pricing/price-guard.rules.js';
import { storeSupplierReports } from './store-supplier-reports.js';
import { databaseNow, markSupplierProductsGone, type SupplierReport } from './supplier-products.queries.js';

/** A page of the supplier's answer, with the products in it that could not be understood. */
export interface SupplierReportPage {
  readonly products: readonly SupplierReport[];
  readonly rejected: readonly { readonly cwsProductId: string | null; readonly reason: string }[];
}

/** What became of the products that were asked for and not listed. */
export interface StoredAnswer {
  readonly gone: readonly string[];
  /** They may be gone, or be among those that could not be understood: what is known of them stays. */
  readonly untold: readonly string[];
  readonly rejected: SupplierReportPage['rejected'];
}

/**
 * Stores the supplier's answer to a question for products by id; products that it does not list are marked gone.
 * @param guard which of its prices are believed.
 * @param ask sends the question; called after the database's clock was read, so that `requested_at` is never too late.
 */
export async function storeSupplierAnswer(
  manager: EntityManager,
  cwsProductIds: readonly string[],
  guard: PriceGuard,
  ask: () => AsyncIterable<SupplierReportPage>,
): Promise<StoredAnswer> {
  const requestedAt = await databaseNow(manager);
  const missing = new Set(cwsProductIds);
  const products: SupplierReport[] = [];
  const rejected: SupplierReportPage['rejected'][number][] = [];
  for await (const page of ask()) {
    // Nothing published says that the filter is honored exactly: what was not asked for is not stored.
    products.push(...page.products.filter((product) => missing.delete(product.cwsProductId)));
    rejected.push(...page.rejected);
  }
  await storeSupplierReports(manager, products, { requestedAt, isAskedById: true }, guard);
  // An unreadable product without an id could be any of the missing ones: then none of them can be called gone. One with an
  // id cannot be sold on what was known before.
  const unreadable = rejected.flatMap(({ cwsProductId }) => cwsProductId ?? []);
  const isComplete = unreadable.length === rejected.length;
  const gone = [...missing].filter((id) => isComplete || unreadable.includes(id));
  await markSupplierProductsGone(manager, gone, requestedAt);
  return { gone, untold: [...missing].filter((id) => !gone.includes(id)), rejected };
}
