import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import type { CurrentRate } from '../catalog/exchange-rates.queries.js';
import {
  type DesiredState,
  offersOfProducts,
  type OfferToPrice,
  writeDesiredStates,
} from '../catalog/offers.queries.js';
import {
  forgetPricedInputs,
  keepPricings,
  nextProductsWithOffer,
  type OfferPricing,
  pricedInputs,
  productsHeldOtherwise,
  productsToReprice,
  queuedProducts,
  type RepricingLimits,
  storePricedInputs,
  takeRepricings,
} from '../catalog/repricings.queries.js';
import { AppConfig } from '../config/app-config.js';
import { inTransaction } from '../database/one-connection.js';
import { whenServed } from '../jobs/when-served.js';
import { desiredStateInput } from './desired-state-input.js';
import { type DesiredStateInput, isSameDesiredState, saneDesiredState } from './desired-state.rules.js';
import type { PauseNow } from './guard-steps.service.js';
import { costLimitedAbove, hashOfInputs, isPricingOutdated, pricedOffer } from './repricing.rules.js';

/** Offers priced in one transaction, and in one turn of the event loop: customers are not to wait for it. */
const CHUNK = 50;

/** After so many chunks it is looked whether other inputs apply by now, which takes several statements; a pause is looked for after each. */
const CHUNKS_PER_LOOK = 4;
/** So long customers keep the next chunk waiting: stops of a whole shop go this way, too. */
const PATIENCE_MS = 10;

const noop = (): void => undefined;

/** So many times the stock that a buyer notices: above, what is spoken for meanwhile does not bring it there unseen. */
const FEW_TIMES = 2;

/** What a refresh did. */
export interface RefreshCounts {
  /** Offers that were looked at. */
  readonly priced: number;
  /** Those among them that should show something else now. */
  readonly changed: number;
}

/** Whether a refresh asks for offers of whose stock other pieces are spoken for by now. */
export type HoldsLook = 'with_holds' | 'without_holds';

/** What applies to every offer alike. */
interface Inputs {
  readonly input: DesiredStateInput;
  readonly rate: CurrentRate;
  /** Of `input`: when it is another one, all offers are priced. */
  readonly hash: string;
}

/** Turns mappings and supplier snapshots into what every offer should show. */
@Injectable()
export class DesiredStateService {
  private readonly logger = new Logger(DesiredStateService.name);
  /** Who we are, so that everything is priced once after a restart or a change of leader. */
  private readonly pricer = randomUUID();
  private turn: Promise<unknown> = Promise.resolve();
  private onChange: () => void = noop;
  private isPricing = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly alerts: AlertsService,
  ) {}

  /** @param listener is called whenever some offers are to show something else, also in the middle of a refresh. */
  whenOffersChange(listener: () => void): void {
    this.onChange = listener;
  }

  /**
   * Computes the offers anew whose inputs may have changed, and writes those that differ; all of them when something changed
   * that applies to all, also meanwhile: then it begins anew. See docs/sync.md. One call at a time: others wait for their turn.
   * @param holds whether it is looked what reservations and sales have changed: with many of them that is the dearest statement.
   * @returns how many.
   */
  async refresh(pause: PauseNow, holds: HoldsLook = 'with_holds'): Promise<RefreshCounts> {
    const turn = this.turn.then(() => this.inTurn(pause, holds));
    this.turn = turn.catch(noop);
    return turn;
  }

  private async inTurn(pause: PauseNow, holds: HoldsLook): Promise<RefreshCounts> {
    try {
      return await this.refreshNow(pause, holds);
    } finally {
      this.isPricing = false;
    }
  }

  /** Whether offers are being computed that have to be. */
  get isRefreshing(): boolean {
    return this.isPricing;
  }

  private async refreshNow(pause: PauseNow, holds: HoldsLook): Promise<RefreshCounts> {
    const total = { priced: 0, changed: 0 };
    let pricedBy: Inputs | null = null;
    for (let inputs = await this.inputs(pause); inputs !== null && inputs !== pricedBy;) {
      pricedBy = inputs;
      inputs = await this.priceBy(inputs, pause, holds, ({ priced, changed }) => {
        total.priced += priced;
        total.changed += changed;
        if (changed > 0) this.onChange();
      });
    }
    return total;
  }

  /** Null: nothing is to be priced now. */
  private async inputs(pause: PauseNow): Promise<Inputs | null> {
    const pauseReason = await pause();
    if (pauseReason === undefined) return null;
    const { input, rate } = await desiredStateInput(this.dataSource.manager, this.config, pauseReason);
    return { input, rate, hash: hashOfInputs(input, this.pricer) };
  }

  /** @returns `inputs` when all is priced by them; where others apply meanwhile, those: the rest would only have to be priced again. */
  private async priceBy(
    inputs: Inputs,
    pause: PauseNow,
    holds: HoldsLook,
    onPriced: (counts: RefreshCounts) => void,
  ): Promise<Inputs | null> {
    const { manager } = this.dataSource;
    const { input, rate, hash } = inputs;
    await this.tellOfRate(rate);
    const last = await pricedInputs(manager);
    const isDirtyOnly = last?.hash === hash;
    const chunks = isDirtyOnly
      ? this.dirtyProducts(holds, {
          freshSince: input.freshSince,
          costAbove: costLimitedAbove(last, input),
          manyPieces: FEW_TIMES * (this.config.lowStock + this.config.stockBuffer),
        })
      : this.allProducts();
    // What is cut off must be repeated also where the inputs are by then what they were before.
    if (!isDirtyOnly && last !== null) await forgetPricedInputs(manager);
    let current = input;
    let chunk = 0;
    for await (const products of chunks) {
      this.isPricing = true;
      if (chunk > 0 && chunk % CHUNKS_PER_LOOK === 0) {
        const now = await this.inputs(pause);
        if (now?.hash !== hash) return now;
        // What moves on all the time is taken over; the balance is one for all, for by it those were found that it limits.
        current = { ...now.input, payable: input.payable };
      } else if (chunk > 0 && (await pause()) !== input.pauseReason) {
        return this.inputs(pause);
      }
      chunk += 1;
      onPriced(await this.price(products, current));
      await whenServed(PATIENCE_MS);
    }
    const { payable } = input;
    if (!isDirtyOnly || last.payable !== payable) await storePricedInputs(manager, { hash, payable });
    return inputs;
  }

  private async *dirtyProducts(holds: HoldsLook, limits: RepricingLimits): AsyncIterable<readonly number[]> {
    const { manager } = this.dataSource;
    const found = await productsToReprice(manager, limits);
    if (holds === 'with_holds') found.push(...(await productsHeldOtherwise(manager, limits)));
    // Sorted here: for the order's sake PostgreSQL would walk through all offers.
    const products = [...new Set(found)].sort((one, other) => one - other);
    for (let start = 0; start < products.length; start += CHUNK) yield products.slice(start, start + CHUNK);
  }

  /** What is queued, now or meanwhile, takes turns with the rest: a product that is sold out does not wait for all the others. */
  private async *allProducts(): AsyncIterable<readonly number[]> {
    const { manager } = this.dataSource;
    const isPriced = new Set<number>();
    let after: number | null = null;
    do {
      const queued = await queuedProducts(manager, CHUNK);
      if (queued.length > 0) yield queued;
      for (const product of queued) isPriced.add(product);
      const products: number[] = await nextProductsWithOffer(manager, after, CHUNK);
      after = products.at(-1) ?? null;
      const rest = products.filter((product) => !isPriced.has(product));
      if (rest.length > 0) yield rest;
    } while (after !== null);
  }

  private async price(g2aProductIds: readonly number[], input: DesiredStateInput): Promise<RefreshCounts> {
    return inTransaction(this.dataSource, async (manager) => {
      await takeRepricings(manager, g2aProductIds);
      const withSimulations = input.priceSimulation !== 'off';
      const offers = await offersOfProducts(manager, g2aProductIds, { withSimulations });
      const changed: { g2aOfferId: string; desired: DesiredState }[] = [];
      const pricings: { g2aOfferId: string; pricing: OfferPricing }[] = [];
      for (const offer of offers) {
        const { g2aOfferId, lastPricing } = offer;
        const { desired, pricing } = pricedOffer(offer, this.decide(offer, input), input);
        if (!isSameDesiredState(desired, offer.desired)) changed.push({ g2aOfferId, desired });
        if (isPricingOutdated(lastPricing, pricing, input.now)) pricings.push({ g2aOfferId, pricing });
      }
      await writeDesiredStates(manager, changed);
      await keepPricings(manager, pricings);
      return { priced: offers.length, changed: changed.length };
    });
  }

  /** Without a rate nothing is sold: a person must know why. */
  private async tellOfRate({ usable, asOf }: CurrentRate): Promise<void> {
    if (usable !== null) {
      await this.alerts.clear('exchange_rate_missing');
      return;
    }
    const { cwsTargetCurrency: currency, exchangeRateMaxAgeHours } = this.config;
    const cause =
      asOf === null
        ? `no rate of ${currency} is known`
        : `the last rate of ${currency}, as of ${asOf.toISOString()}, is older than ${exchangeRateMaxAgeHours} h`;
    await this.alerts.raise('exchange_rate_missing', '', `nothing is sold: ${cause}; enter one with "rates set"`);
  }

  private decide(offer: OfferToPrice, input: DesiredStateInput): DesiredState {
    const { desired, problem } = saneDesiredState(offer, input);
    if (problem !== null) this.logger.error(`G2A product ${offer.g2aProductId} cannot be priced: ${problem}`);
    return desired;
  }
}
