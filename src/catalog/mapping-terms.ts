import type { AppConfig } from '../config/app-config.js';
import { bandsInEuro, type ExchangeRate } from '../pricing/exchange-rate.rules.js';
import { parseFeeRate, parseProfitPercent, type PricingTerms, resolveTerms } from '../pricing/pricing-terms.js';
import type { SupplierOffer } from '../pricing/supplier-choice.rules.js';
import type { MappingStock, SupplierStock } from './mapping-stock.queries.js';

/** The owner's defaults from the environment. */
export function defaultTerms(config: AppConfig): PricingTerms {
  return {
    fixedProfit: config.defaultFixedProfit,
    profitPercent: parseProfitPercent(config.defaultProfitPercent),
    feePercentage: parseFeeRate(config.defaultG2aFeePercentage),
    feeFixed: config.defaultG2aFeeFixed,
    minPrice: null,
    maxPrice: null,
  };
}

/** The terms of one mapping: its own values where it has them, the defaults elsewhere. */
export function mappingTerms(mapping: MappingStock, defaults: PricingTerms): PricingTerms {
  return resolveTerms(defaults, {
    fixedProfit: mapping.fixedProfitCents,
    profitPercent: mapping.profitPercent === null ? null : parseProfitPercent(mapping.profitPercent),
    feePercentage: mapping.feePercentage === null ? null : parseFeeRate(mapping.feePercentage),
    feeFixed: mapping.feeFixedCents,
    charmEnding: mapping.charmEnding,
    minPrice: mapping.minPriceCents,
    maxPrice: mapping.maxPriceCents,
  });
}

/**
 * The mapping's suppliers for `pricing/`, their prices in euros: from here on nothing knows another currency. A release ahead
 * already counts as no stock in the `supplier_stock` view.
 */
export function supplierOffers(mapping: Pick<MappingStock, 'suppliers'>, rate: ExchangeRate): SupplierOffer[] {
  return mapping.suppliers.map((supplier) => offerInEuro(supplier, rate));
}

/** One supplier for `pricing/`, its prices in euros. */
export function offerInEuro(supplier: SupplierStock, rate: ExchangeRate): SupplierOffer {
  const { cwsProductId, bands, unconfirmedBands, available } = supplier;
  return {
    cwsProductId,
    bands: bandsInEuro(bands, rate),
    unconfirmedBands: unconfirmedBands === null ? null : bandsInEuro(unconfirmedBands, rate),
    available,
    isReleased: true,
  };
}
