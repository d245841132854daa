import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { offersOfProducts } from '../catalog/offers.queries.js';
import {
  forgetSimulationsOfGoneProducts,
  recordSimulation,
  recordSimulationFailure,
  type SimulatedPrice,
} from '../catalog/price-simulations.queries.js';
import { nextProductsWithOffer } from '../catalog/repricings.queries.js';
import { AppConfig } from '../config/app-config.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { whenServed } from '../jobs/when-served.js';
import { SlidingWindow } from '../upstream/sliding-window.rules.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { desiredStateInput } from './desired-state-input.js';
import { describeHigherFees, type HigherFee, simulationRate } from './simulation-plan.rules.js';
import { PLAN_LIFE_MS, SimulationQueue } from './simulation-queue.js';

/** Questions under way at once. */
const CONCURRENCY = 4;
/** No question is begun later than this after the first: the round must go on. */
const SLICE_MS = 1000;
/** A question that takes longer has failed. */
const TIMEOUT_MS = 2000;
/** Offers read at once. */
const CHUNK = 100;
/** Of those, planned in one turn of the event loop: customers are not to wait for it. */
const SLICE = 50;
/** Chunks of one plan. */
const PLANNED_CHUNKS = 20;
/** So many times as long as a slice took, but not longer than LONGEST_REST_MS, the next one waits, unless offers wait for simulations. */
const REST = 2;
const LONGEST_REST_MS = 100;
/** So many failures in a row are trouble with the simulation, not with some product. */
const ALERTED_FAILURES = 20;

/** Asks G2A what sales at our prices really earn, within a share of its request rate. */
@Injectable()
export class SimulatePricesService implements OnModuleDestroy {
  private readonly logger = new Logger(SimulatePricesService.name);
  /** Null: nothing is asked. */
  private readonly share: { readonly room: SlidingWindow; readonly queue: SimulationQueue } | null;
  private failuresInRow = 0;
  /** Whether `simulation_failing` may be open: from before a restart as well. */
  private mayBeAlerted = true;
  private isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    private readonly config: AppConfig,
  ) {
    const { priceSimulation, g2aRate } = config;
    if (priceSimulation === 'off') {
      this.share = null;
      return;
    }
    const { requests, windowSeconds } = simulationRate(g2aRate, priceSimulation);
    const windowMs = windowSeconds * 1000;
    const queueSize = Math.ceil((requests * PLAN_LIFE_MS) / windowMs);
    this.share = { room: new SlidingWindow(requests, windowMs), queue: new SimulationQueue(queueSize) };
  }

  /**
   * Asks about the prices whose turn it is, for at most SLICE_MS and one time-out, once it has planned which those are, which takes some
   * seconds at most; what it learns counts from the next round on.
   * Trouble with G2A is kept with the price and never thrown.
   */
  async simulate(): Promise<void> {
    if (this.share === null) {
      await this.alerts.clear('real_fee_higher');
      await this.alerts.clear('simulation_failing');
      return;
    }
    const { room, queue } = this.share;
    if (room.waitMs(performance.now()) > 0) return;
    await this.refill(queue);

    const endsAtMs = performance.now() + SLICE_MS;
    const work = async (): Promise<void> => {
      for (let price = queue.take(); price !== undefined; price = queue.take()) {
        const mayAsk = !this.isStopping && performance.now() < endsAtMs && room.tryTake(performance.now());
        const outcome = mayAsk ? await this.ask(price) : 'no_room';
        if (outcome === 'no_room') queue.putBack(price);
        // Without an answer at all the next one would have to wait as long.
        if (outcome === 'no_room' || outcome === 'unanswered') return;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  /** The process is about to end: asks nothing more. */
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  /** Plans for the next offers, if it is time to. */
  private async refill(queue: SimulationQueue): Promise<void> {
    const { manager } = this.dataSource;
    const { input } = await desiredStateInput(manager, this.config, null);
    if (!queue.isDue(input.now)) return;
    queue.begin(input.now);
    for (let chunk = 0; chunk < PLANNED_CHUNKS; chunk += 1) {
      let sliceAtMs = performance.now();
      const products = await nextProductsWithOffer(manager, queue.position, CHUNK);
      const offers = await offersOfProducts(manager, products);
      for (let start = 0; start < offers.length; start += SLICE) {
        queue.add(offers.slice(start, start + SLICE), input);
        if (this.isStopping) return;
        await this.rest(performance.now() - sliceAtMs);
        sliceAtMs = performance.now();
      }
      const lastProduct = products.length < CHUNK ? null : (products.at(-1) ?? null);
      const higherFees = queue.goneThroughTo(lastProduct);
      if (higherFees !== null) return this.finishTurn(higherFees);
    }
  }

  private async rest(tookMs: number): Promise<void> {
    if (this.config.priceSimulation === 'all') await whenServed();
    else await sleep(Math.min(REST * tookMs, LONGEST_REST_MS));
  }

  /** All offers were gone through. */
  private async finishTurn(higherFees: readonly HigherFee[]): Promise<void> {
    if (higherFees.length === 0) await this.alerts.clear('real_fee_higher');
    else await this.alerts.raise('real_fee_higher', '', describeHigherFees(higherFees));
    await forgetSimulationsOfGoneProducts(this.dataSource.manager);
  }

  private async ask(asked: SimulatedPrice): Promise<'answered' | 'refused' | 'unanswered' | 'no_room'> {
    const { manager } = this.dataSource;
    try {
      // With `all`, an offer waits for the answer; otherwise the changes themselves go first.
      const priority = this.config.priceSimulation === 'all' ? 'upkeep' : 'spare';
      const limits: CallLimits = { priority, timeoutMs: TIMEOUT_MS, maxWaitMs: 0 };
      await recordSimulation(manager, asked, await this.g2a.simulatePrice(asked.g2aProductId, asked.price, limits));
      await this.tellOfAnswer();
      return 'answered';
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // Nobody's failure.
      if (error.kind === 'retry_after') return 'no_room';
      this.logger.debug(`G2A product ${asked.g2aProductId} could not be simulated: ${error.message}`);
      await recordSimulationFailure(manager, asked, error.message);
      await this.tellOfFailure(error.message);
      return error.status === undefined ? 'unanswered' : 'refused';
    }
  }

  private async tellOfAnswer(): Promise<void> {
    this.failuresInRow = 0;
    if (!this.mayBeAlerted) return;
    this.mayBeAlerted = false;
    await this.alerts.clear('simulation_failing');
  }

  private async tellOfFailure(failure: string): Promise<void> {
    this.failuresInRow += 1;
    if (this.failuresInRow < ALERTED_FAILURES) return;
    const message = `the last ${this.failuresInRow} price simulations have all failed: ${failure}`;
    await this.alerts.raise('simulation_failing', '', message);
    this.mayBeAlerted = true;
  }
}
