import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import type { OfferToPrice } from '../catalog/offers.queries.js';
import {
  forgetOldSimulations,
  recordSimulation,
  recordSimulationFailure,
  type SimulatedPrice,
} from '../catalog/price-simulations.queries.js';
import { databaseNow } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { InProcessRequestBudget, type RequestBudget } from '../upstream/request-budget.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import type { DesiredStateInput } from './desired-state.rules.js';
import { describeHigherFees, planSimulations, simulationRate } from './simulation-plan.rules.js';

/** Questions under way at once. */
const CONCURRENCY = 4;
/** No question is begun later than this after the first: the round must go on. */
const SLICE_MS = 1000;
/** A question that takes longer has failed. */
const TIMEOUT_MS = 2000;

/** Asks G2A what sales at our prices really earn, within a share of its request rate. */
@Injectable()
export class SimulatePricesService implements OnModuleDestroy {
  private readonly logger = new Logger(SimulatePricesService.name);
  /** Null: nothing is asked. */
  private readonly share: RequestBudget | null;
  private isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    { priceSimulation, g2aRate }: AppConfig,
  ) {
    this.share =
      priceSimulation === 'off'
        ? null
        : new InProcessRequestBudget('g2a', 'price simulations', simulationRate(g2aRate, priceSimulation));
  }

  /**
   * Asks about the prices whose turn it is, for at most SLICE_MS and one time-out; what it learns counts from the next round on.
   * Trouble with G2A is kept with the price and never thrown.
   */
  async simulate(offers: readonly OfferToPrice[], input: DesiredStateInput): Promise<void> {
    const { share } = this;
    if (share === null) {
      await this.alerts.clear('real_fee_higher');
      return;
    }
    const { manager } = this.dataSource;
    const { due, higherFees } = planSimulations(offers, input, (await databaseNow(manager)).getTime());
    if (higherFees.length === 0) await this.alerts.clear('real_fee_higher');
    else await this.alerts.raise('real_fee_higher', '', describeHigherFees(higherFees));

    const endsAtMs = performance.now() + SLICE_MS;
    const queue = due.values();
    const work = async (): Promise<void> => {
      for (const price of queue) {
        if (this.isStopping || performance.now() >= endsAtMs || !(await this.ask(price, share))) return;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    await forgetOldSimulations(manager);
  }

  /** The process is about to end: asks nothing more. */
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  /** @returns whether it makes sense to go on asking. */
  private async ask(asked: SimulatedPrice, share: RequestBudget): Promise<boolean> {
    const { manager } = this.dataSource;
    try {
      await share.acquire({ maxWaitMs: 0 });
      const limits = { timeoutMs: TIMEOUT_MS, maxWaitMs: 0 };
      await recordSimulation(manager, asked, await this.g2a.simulatePrice(asked.g2aProductId, asked.price, limits));
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // No room is nobody's failure: it stays its turn.
      if (error.kind === 'retry_after') return false;
      this.logger.debug(`G2A product ${asked.g2aProductId} could not be simulated: ${error.message}`);
      await recordSimulationFailure(manager, asked, error.message);
      // Without an answer at all the next one would have to wait as long.
      return error.status !== undefined;
    }
  }
}
