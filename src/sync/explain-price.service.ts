import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { CurrentRate } from '../catalog/exchange-rates.queries.js';
import { type MappingStock, mappingStock } from '../catalog/mapping-stock.queries.js';
import { supplierOffers } from '../catalog/mapping-terms.js';
import { type DesiredState, offersOfProducts, type OfferToPrice } from '../catalog/offers.queries.js';
import { AppConfig } from '../config/app-config.js';
import { ControlService } from '../control/control.service.js';
import { explainListing, type ListingExplanation } from '../pricing/explain.rules.js';
import { desiredStateInput } from './desired-state-input.js';
import { type DesiredStateInput, listingInput, off, saneDesiredState } from './desired-state.rules.js';

/** Why a G2A product has the price that it should have now, or none. */
export interface PriceExplanation {
  readonly g2aProductId: number;
  /** Ours on G2A; null when none is known. */
  readonly offer: Pick<OfferToPrice, 'g2aOfferId' | 'visibility' | 'deactivationReason' | 'simulations'> | null;
  /** With the suppliers' prices in the account's currency. */
  readonly mapping: MappingStock | null;
  readonly rate: CurrentRate;
  /** Every number; null without a mapping, or with no exchange rate at all. */
  readonly listing: ListingExplanation | null;
  /** What the offer should show by now, and why. */
  readonly desired: DesiredState;
}

/** Repeats the reckoning behind one price, step by step. Changes nothing. */
@Injectable()
export class ExplainPriceService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly control: ControlService,
    private readonly config: AppConfig,
  ) {}

  /** @returns null when the product is neither mapped nor offered by us. */
  async explain(g2aProductId: number): Promise<PriceExplanation | null> {
    const { manager } = this.dataSource;
    const [offer = null] = await offersOfProducts(manager, [g2aProductId]);
    const mapping = offer === null ? await mappingStock(manager, g2aProductId) : offer.mapping;
    if (offer === null && mapping === null) return null;

    const { input, rate } = await desiredStateInput(manager, this.config, await this.control.pauseReason());
    const toPrice = offer ?? withoutOffer(g2aProductId, mapping);
    return { g2aProductId, offer, mapping, rate, ...reckon(toPrice, input, rate) };
  }
}

/** What a product without an offer would be priced as. */
export function withoutOffer(g2aProductId: number, mapping: MappingStock | null): OfferToPrice {
  return {
    g2aOfferId: '',
    g2aProductId,
    deactivationReason: null,
    visibility: 'all',
    marketplaceBounds: { minPrice: null, maxPrice: null },
    simulations: [],
    desired: off('not_priced_yet'),
    lastPricing: { repriceAt: 0, heldPieces: null, staleSuppliers: 0, sizeHeldSince: null },
    heldPieces: null,
    nextReleaseAt: null,
    mapping,
  };
}

function reckon(
  offer: OfferToPrice,
  input: DesiredStateInput,
  rate: CurrentRate,
): Pick<PriceExplanation, 'listing' | 'desired'> {
  const { mapping } = offer;
  const { desired, problem } = saneDesiredState(offer, input);
  // A rate that is too old still shows what the price would be.
  if (mapping === null || rate.last === null || problem !== null) return { listing: null, desired };
  const stale = mapping.suppliers.filter((supplier) => supplier.freshAsOf < input.freshSince);
  const listing = listingInput(offer, mapping, input, rate.last);
  return {
    listing: explainListing(listing, supplierOffers({ suppliers: stale }, rate.last)),
    desired,
  };
}
