import type { MappingStock } from '../catalog/supplier-products.queries.js';
import type { ProductStock } from './reserve-stock.service.js';

/** What others can still reserve of each product: the stock of all suppliers of its mapping; 0 without a mapping. */
export function totalAvailable(
  items: readonly { g2aProductId: number }[],
  mappings: readonly MappingStock[],
): ProductStock[] {
  return items.map(({ g2aProductId }) => ({
    g2aProductId,
    inventorySize: (mappings.find((mapping) => mapping.g2aProductId === g2aProductId)?.suppliers ?? []).reduce(
      (sum, supplier) => sum + supplier.available,
      0,
    ),
  }));
}
