import type { EntityManager } from 'typeorm';
import { knownSuppliers } from '../catalog/known-suppliers.queries.js';
import type { FileMapping } from '../catalog/mapping-fields.js';
import type { MappingStock, MappingSupplier } from '../catalog/mapping-stock.queries.js';
import { type DesiredState, offersOfProducts } from '../catalog/offers.queries.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { databaseNow, storedProducts } from '../catalog/supplier-products.queries.js';
import type { AppConfig } from '../config/app-config.js';
import type { SupplierProduct } from '../cws/cws.types.js';
import { cwsClient } from '../cws/cws.module.js';
import { type GuardedPrice, guardPrice } from '../pricing/price-guard.rules.js';
import { sharedBudgets } from '../upstream/shared-budgets.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { desiredStateInput } from './desired-state-input.js';
import { type DesiredStateInput, saneDesiredState } from './desired-state.rules.js';
import { withoutOffer } from './explain-price.service.js';

/** What one mapping of a file would be sold at. */
export interface PreviewedPrice {
  readonly g2aProductId: number;
  readonly desired: DesiredState;
  /** CWS ids of its suppliers that CWS does not list, or not in a form that is understood. */
  readonly unknownSuppliers: readonly string[];
}

/** A large file waits until the running service leaves room in CWS's list limit, which both share. */
const LIMITS: CallLimits = { priority: 'spare', maxWaitMs: 3_600_000 };

/**
 * Prices mappings as if they were stored, and stores nothing. Suppliers are taken from the snapshots; CWS is asked for those
 * without one, or with one too old to sell on, and what it says is believed as far as the service would believe it.
 * @param onProgress called with the number of suppliers that CWS has been asked about, and of how many.
 * @throws UpstreamError when CWS does not answer.
 */
export async function previewPrices(
  manager: EntityManager,
  config: AppConfig,
  mappings: readonly FileMapping[],
  onProgress: (done: number, total: number) => void,
): Promise<PreviewedPrice[]> {
  const { input: now } = await desiredStateInput(manager, config, null);
  // A first price that waits for G2A's word is a matter of offers, not of what they will show.
  const input: DesiredStateInput = { ...now, priceSimulation: now.priceSimulation === 'off' ? 'off' : 'sample' };
  const ids = [...new Set(mappings.flatMap((mapping) => mapping.cwsProductIds))];
  const known = await knownSuppliers(manager, ids);
  const isFresh = (id: string) => (known.get(id)?.freshAsOf ?? 0) >= input.freshSince;
  const suppliers = new Map<string, MappingSupplier>([...known].filter(([id]) => isFresh(id)));
  const toAsk = ids.filter((id) => !isFresh(id));
  const requestedAt = await databaseNow(manager);
  const stored = await storedProducts(manager, toAsk, requestedAt);
  for await (const product of askSuppliers(manager, config, toAsk, onProgress)) {
    const { cwsProductId, priceBands: bands } = product;
    const report = { bands, requestedAt, isAskedById: true };
    const { price } = guardPrice(stored.get(cwsProductId) ?? null, report, priceGuard(config));
    suppliers.set(cwsProductId, asSupplier(product, price, known.get(cwsProductId)?.held ?? 0));
  }

  const products = mappings.map((mapping) => mapping.g2aProductId);
  const offers = new Map((await offersOfProducts(manager, products)).map((offer) => [offer.g2aProductId, offer]));
  return mappings.map((fileMapping) => {
    const { g2aProductId } = fileMapping;
    const mapping = asStored(fileMapping, suppliers);
    const offer = { ...(offers.get(g2aProductId) ?? withoutOffer(g2aProductId, null)), mapping };
    const { desired } = saneDesiredState(offer, input);
    return { g2aProductId, desired, unknownSuppliers: mapping.unseenSuppliers };
  });
}

/** What CWS says now about products by id. */
async function* askSuppliers(
  manager: EntityManager,
  config: AppConfig,
  cwsProductIds: readonly string[],
  onProgress: (done: number, total: number) => void,
): AsyncIterable<SupplierProduct> {
  if (cwsProductIds.length === 0) return;
  const cws = cwsClient(config, { budgetOf: sharedBudgets(manager.dataSource) });
  try {
    const missing = new Set(cwsProductIds);
    for await (const page of cws.products({ cwsProductIds }, LIMITS)) {
      // Nothing published says that the filter is honored exactly.
      for (const product of page.products) {
        if (missing.delete(product.cwsProductId)) yield product;
      }
      onProgress(cwsProductIds.length - missing.size, cwsProductIds.length);
    }
  } finally {
    cws.close();
  }
}

function asSupplier(product: SupplierProduct, price: GuardedPrice, held: number): MappingSupplier {
  const { cwsProductId, quantity, releaseDate } = product;
  const isReleased = releaseDate === null || releaseDate.getTime() <= Date.now();
  return {
    cwsProductId,
    bands: price.accepted,
    unconfirmedBands: price.unconfirmed?.bands ?? null,
    available: isReleased ? Math.max(quantity - held, 0) : 0,
    // Whatever the clocks say: it was heard of just now.
    freshAsOf: Infinity,
    requestedAt: Infinity,
  };
}

/** A file's mapping as it would be read back from the database, with its suppliers. */
function asStored(mapping: FileMapping, known: ReadonlyMap<string, MappingSupplier>): MappingStock {
  return {
    g2aProductId: mapping.g2aProductId,
    isEnabled: mapping.isEnabled,
    fixedProfitCents: mapping.fixedProfit,
    profitPercent: mapping.profitPercent,
    feePercentage: mapping.feePercentage,
    feeFixedCents: mapping.feeFixed,
    charmEnding: mapping.charmEnding,
    minPriceCents: mapping.minPrice,
    maxPriceCents: mapping.maxPrice,
    suppliers: mapping.cwsProductIds.flatMap((id) => known.get(id) ?? []),
    unseenSuppliers: mapping.cwsProductIds.filter((id) => !known.has(id)),
  };
}
