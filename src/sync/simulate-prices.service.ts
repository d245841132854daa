import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import type { OfferToPrice } from '../catalog/offers.queries.js';
import {
  forgetSimulationsOfGoneProducts,
  recordSimulation,
  recordSimulationFailure,
  type SimulatedPrice,
} from '../catalog/price-simulations.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { SlidingWindow } from '../upstream/sliding-window.rules.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { describeHigherFees, type HigherFee, planSimulations, simulationRate } from './simulation-plan.rules.js';

/** Questions under way at once. */
const CONCURRENCY = 4;
/** No question is begun later than this after the first: the round must go on. */
const SLICE_MS = 1000;
/** A question that takes longer has failed. */
const TIMEOUT_MS = 2000;
/** Offers gone through in one round: the service does nothing else meanwhile. */
const OFFERS_PER_ROUND = 5000;
/** What was planned is asked in this time or planned anew: prices change. */
const PLAN_LIFE_MS = 2 * 60_000;
/** So many failures in a row are trouble with the simulation, not with some product. */
const ALERTED_FAILURES = 20;

/** Asks G2A what sales at our prices really earn, within a share of its request rate. */
@Injectable()
export class SimulatePricesService implements OnModuleDestroy {
  private readonly logger = new Logger(SimulatePricesService.name);
  /** Null: nothing is asked. */
  private readonly share: SlidingWindow | null;
  /** The most questions that the share allows while a plan lives. */
  private readonly planSize: number = 0;
  /** What is planned and not asked yet, and when it was planned. */
  private plan: SimulatedPrice[] = [];
  private plannedAtMs = 0;
  /** How many of the offers this turn has gone through, and what it found. */
  private offersPlanned = 0;
  private higherFees: HigherFee[] = [];
  private failuresInRow = 0;
  /** Whether `simulation_failing` may be open: from before a restart as well. */
  private mayBeAlerted = true;
  private isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    { priceSimulation, g2aRate }: AppConfig,
  ) {
    if (priceSimulation === 'off') {
      this.share = null;
      return;
    }
    const { requests, windowSeconds } = simulationRate(g2aRate, priceSimulation);
    this.share = new SlidingWindow(requests, windowSeconds * 1000);
    this.planSize = Math.ceil((requests * PLAN_LIFE_MS) / (windowSeconds * 1000));
  }

  /**
   * Asks about the prices whose turn it is, for at most SLICE_MS and one time-out; what it learns counts from the next round on.
   * Trouble with G2A is kept with the price and never thrown.
   */
  async simulate(offers: readonly OfferToPrice[], input: DesiredStateInput): Promise<void> {
    const { share } = this;
    if (share === null) {
      await this.alerts.clear('real_fee_higher');
      await this.alerts.clear('simulation_failing');
      return;
    }
    const startedAtMs = performance.now();
    if (share.waitMs(startedAtMs) > 0) return;
    if (this.plan.length === 0 || startedAtMs - this.plannedAtMs >= PLAN_LIFE_MS) await this.planNext(offers, input);

    const endsAtMs = performance.now() + SLICE_MS;
    const work = async (): Promise<void> => {
      while (!this.isStopping && performance.now() < endsAtMs) {
        const [price] = this.plan;
        if (price === undefined || !share.tryTake(performance.now())) return;
        this.plan.shift();
        if (!(await this.ask(price))) return;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  /** The process is about to end: asks nothing more. */
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  /** Plans the questions about the next offers; once through all of them, tells of the fees that were found higher. */
  private async planNext(offers: readonly OfferToPrice[], input: DesiredStateInput): Promise<void> {
    const { manager } = this.dataSource;
    const next = offers.slice(this.offersPlanned, this.offersPlanned + OFFERS_PER_ROUND);
    const now = await databaseNow(manager);
    const { due, higherFees } = planSimulations(next, input, now.getTime(), this.planSize);
    this.plan = [...due];
    this.plannedAtMs = performance.now();
    this.higherFees.push(...higherFees);
    this.offersPlanned += OFFERS_PER_ROUND;
    if (this.offersPlanned < offers.length) return;

    if (this.higherFees.length === 0) await this.alerts.clear('real_fee_higher');
    else await this.alerts.raise('real_fee_higher', '', describeHigherFees(this.higherFees));
    this.offersPlanned = 0;
    this.higherFees = [];
    await forgetSimulationsOfGoneProducts(manager);
  }

  /** @returns whether it makes sense to go on asking. */
  private async ask(asked: SimulatedPrice): Promise<boolean> {
    const { manager } = this.dataSource;
    try {
      const limits = { timeoutMs: TIMEOUT_MS, maxWaitMs: 0 };
      await recordSimulation(manager, asked, await this.g2a.simulatePrice(asked.g2aProductId, asked.price, limits));
      await this.tellOfAnswer();
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind === 'retry_after') {
        // No room is nobody's failure: it stays its turn.
        this.plan.unshift(asked);
        return false;
      }
      this.logger.debug(`G2A product ${asked.g2aProductId} could not be simulated: ${error.message}`);
      await recordSimulationFailure(manager, asked, error.message);
      await this.tellOfFailure(error.message);
      // Without an answer at all the next one would have to wait as long.
      return error.status !== undefined;
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
