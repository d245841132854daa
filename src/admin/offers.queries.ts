import type { EntityManager } from 'typeorm';
import { amount } from '../money/amount.js';

interface OfferRow {
  g2aOfferId: string;
  desiredPriceCents: number | null;
  desiredBusinessPriceCents: number | null;
  desiredSize: number;
  desiredIsActive: boolean;
  desiredReason: string;
  desiredCostCents: number | null;
  observedRetailPriceCents: number | null;
  observedBusinessPriceCents: number | null;
  observedSize: number | null;
  observedIsActive: boolean;
  observedVisibility: string;
  observedAt: Date;
  observedMinPriceCents: number | null;
  observedMaxPriceCents: number | null;
  sentPriceCents: number | null;
  sentBusinessPriceCents: number | null;
  sentLowestPriceCents: number | null;
  sentSize: number | null;
  sentIsActive: boolean | null;
  sentAt: Date | null;
  failureCount: number;
  retryAt: Date | null;
  lastError: string | null;
  quarantinedAt: Date | null;
  deactivatedAt: Date | null;
  deactivationReason: string | null;
  deactivationMessage: string | null;
}

interface MappingRow {
  isEnabled: boolean;
  fixedProfitCents: number | null;
  profitPercent: string | null;
  feePercentage: string | null;
  feeFixedCents: number | null;
  minPriceCents: number | null;
  maxPriceCents: number | null;
  charmEnding: string | null;
  createdAt: Date;
  updatedAt: Date;
}

interface BandRow {
  fromQuantity: number;
  toQuantity: number | null;
  unitPrice: number;
}

interface SupplierRow {
  cwsProductId: string;
  position: number;
  name: string | null;
  quantity: number;
  held: number;
  available: number;
  priceBands: BandRow[];
  unconfirmedPriceBands: BandRow[] | null;
  unconfirmedSince: Date | null;
  unconfirmedReason: string | null;
  releaseDate: Date | null;
  isGone: boolean;
  requestedAt: Date;
  changedAt: Date;
}

/** What our offer should show, shows and was last told to show; null when we have none for this product. */
export async function findOffer(manager: EntityManager, g2aProductId: number) {
  const [row] = await manager.query<OfferRow[]>(
    `SELECT g2a_offer_id AS "g2aOfferId",
       desired_price_cents AS "desiredPriceCents", desired_business_price_cents AS "desiredBusinessPriceCents", desired_size AS "desiredSize", desired_is_active AS "desiredIsActive",
       desired_reason AS "desiredReason", desired_cost_cents AS "desiredCostCents",
       observed_retail_price_cents AS "observedRetailPriceCents",
       observed_business_price_cents AS "observedBusinessPriceCents", observed_size AS "observedSize",
       observed_is_active AS "observedIsActive", observed_visibility AS "observedVisibility",
       observed_at AS "observedAt",
       observed_min_price_cents AS "observedMinPriceCents", observed_max_price_cents AS "observedMaxPriceCents",
       sent_price_cents AS "sentPriceCents", sent_business_price_cents AS "sentBusinessPriceCents", sent_lowest_price_cents AS "sentLowestPriceCents", sent_size AS "sentSize",
       sent_is_active AS "sentIsActive", sent_at AS "sentAt",
       failure_count AS "failureCount", retry_at AS "retryAt", last_error AS "lastError",
       quarantined_at AS "quarantinedAt",
       deactivated_at AS "deactivatedAt", deactivation_reason AS "deactivationReason", deactivation_message AS "deactivationMessage"
     FROM offers WHERE g2a_product_id = $1`,
    [g2aProductId],
  );
  if (row === undefined) return null;
  return {
    g2aOfferId: row.g2aOfferId,
    desired: {
      price: amount(row.desiredPriceCents),
      businessPrice: amount(row.desiredBusinessPriceCents),
      size: row.desiredSize,
      isActive: row.desiredIsActive,
      reason: row.desiredReason,
      cost: amount(row.desiredCostCents),
    },
    observed: {
      retailPrice: amount(row.observedRetailPriceCents),
      businessPrice: amount(row.observedBusinessPriceCents),
      /** G2A's own limits for the price. */
      minPrice: amount(row.observedMinPriceCents),
      maxPrice: amount(row.observedMaxPriceCents),
      size: row.observedSize,
      isActive: row.observedIsActive,
      visibility: row.observedVisibility,
      at: row.observedAt,
    },
    /** Not confirmed yet; null when nothing is waiting for confirmation. */
    sent:
      row.sentAt === null
        ? null
        : {
            price: amount(row.sentPriceCents),
            businessPrice: amount(row.sentBusinessPriceCents),
            lowestPrice: amount(row.sentLowestPriceCents),
            size: row.sentSize,
            isActive: row.sentIsActive,
            at: row.sentAt,
          },
    failureCount: row.failureCount,
    retryAt: row.retryAt,
    lastError: row.lastError,
    /** Since when it is tried once an hour only; null unless it keeps failing. */
    quarantinedAt: row.quarantinedAt,
    /** By somebody else: how we learned of it, and G2A's words; null when it is not, or when that has been cleared. */
    deactivated:
      row.deactivatedAt === null
        ? null
        : { at: row.deactivatedAt, reason: row.deactivationReason, message: row.deactivationMessage },
  };
}

/** The terms on which a product is sold; a null term means the default from the environment. */
export async function findMapping(manager: EntityManager, g2aProductId: number) {
  const [row] = await manager.query<MappingRow[]>(
    `SELECT is_enabled AS "isEnabled", fixed_profit_cents AS "fixedProfitCents", profit_percent AS "profitPercent",
       fee_percentage AS "feePercentage", fee_fixed_cents AS "feeFixedCents",
       min_price_cents AS "minPriceCents", max_price_cents AS "maxPriceCents", charm_ending AS "charmEnding",
       created_at AS "createdAt", updated_at AS "updatedAt"
     FROM product_mappings WHERE g2a_product_id = $1`,
    [g2aProductId],
  );
  if (row === undefined) return null;
  const { fixedProfitCents, feeFixedCents, minPriceCents, maxPriceCents, ...mapping } = row;
  return {
    ...mapping,
    fixedProfit: amount(fixedProfitCents),
    feeFixed: amount(feeFixedCents),
    minPrice: amount(minPriceCents),
    maxPrice: amount(maxPriceCents),
  };
}

/** The CWS products that can serve a mapping, each with what the supplier said last, or null before it said anything. */
export async function suppliersOfMapping(manager: EntityManager, g2aProductId: number) {
  const rows = await manager.query<SupplierRow[]>(
    `SELECT link.cws_product_id AS "cwsProductId", link.position, product.name, product.quantity, stock.held,
       stock.available, product.price_bands AS "priceBands", product.release_date AS "releaseDate",
       product.unconfirmed_price_bands AS "unconfirmedPriceBands", product.unconfirmed_since AS "unconfirmedSince",
       product.unconfirmed_reason AS "unconfirmedReason",
       product.is_gone AS "isGone", product.requested_at AS "requestedAt", product.changed_at AS "changedAt"
     FROM product_mapping_suppliers link
     LEFT JOIN supplier_products product ON product.cws_product_id = link.cws_product_id
     LEFT JOIN supplier_stock stock ON stock.cws_product_id = link.cws_product_id
     WHERE link.g2a_product_id = $1 ORDER BY link.position, link.cws_product_id`,
    [g2aProductId],
  );
  return rows.map((row) => {
    const {
      cwsProductId,
      position,
      priceBands,
      unconfirmedPriceBands,
      unconfirmedSince,
      unconfirmedReason,
      ...snapshot
    } = row;
    return {
      cwsProductId,
      position,
      snapshot:
        snapshot.name === null
          ? null
          : {
              ...snapshot,
              priceBands: bandsView(priceBands),
              /** What CWS shows now, and is not believed yet; null when nothing is in question. */
              unconfirmed:
                unconfirmedPriceBands === null
                  ? null
                  : {
                      priceBands: bandsView(unconfirmedPriceBands),
                      since: unconfirmedSince,
                      reason: unconfirmedReason,
                    },
            },
    };
  });
}

function bandsView(bands: readonly BandRow[]) {
  return bands.map(({ unitPrice, ...band }) => ({ ...band, unitPrice: amount(unitPrice) }));
}
