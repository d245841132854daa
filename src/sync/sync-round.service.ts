import { Injectable } from '@nestjs/common';
import { DesiredStateService } from './desired-state.service.js';
import { GuardStepsService, type SyncStep } from './guard-steps.service.js';
import { MarketStepsService } from './market-steps.service.js';
import { SimulatePricesService } from './simulate-prices.service.js';
import { SupplyStepsService } from './supply-steps.service.js';

/** The steps of synchronization. */
@Injectable()
export class SyncRoundService {
  /** What changed at CWS since the last pass. */
  readonly readFeed: SyncStep;
  /** Mapped products at CWS by id. */
  readonly sweep: SyncStep;
  /** Sets who is told whenever some offers are to show something else: long before the refresh of many is over. */
  readonly whenOffersChange: DesiredStateService['whenOffersChange'];
  /** What every offer should show by what is known now. */
  readonly refresh: SyncStep;
  /** The same where something new was stored; what reservations have changed waits for `refresh`. */
  readonly refreshStored: SyncStep;
  /** Whether offers that were switched off are. */
  readonly confirmStops: SyncStep;
  /** Whether other changes have arrived. */
  readonly confirmChanges: SyncStep;
  /** What G2A shows. */
  readonly readListing: SyncStep;
  /** Sends G2A what differs. */
  readonly publish: SyncStep;
  /** What sales would really earn. */
  readonly simulate: SyncStep;

  constructor(
    supply: SupplyStepsService,
    market: MarketStepsService,
    desired: DesiredStateService,
    simulator: SimulatePricesService,
    guard: GuardStepsService,
  ) {
    this.whenOffersChange = (listener) => {
      desired.whenOffersChange(listener);
    };
    // A pause that switches the offers off has to be published, and to be seen; nothing else is done meanwhile.
    this.readFeed = guard.step('feed', 'unless_paused', () => supply.readFeed());
    this.sweep = guard.step('sweep', 'unless_paused', () => supply.sweep());
    this.refresh = guard.step('refresh', 'always', async (pause) => {
      await desired.refresh(pause);
    });
    this.refreshStored = guard.step('refresh_stored', 'always', async (pause) => {
      await desired.refresh(pause, 'without_holds');
    });
    this.confirmStops = guard.step('stops', 'always', () => market.confirmStops());
    this.confirmChanges = guard.step('confirmation', 'always', () => market.confirmChanges());
    this.readListing = guard.step('listing', 'always', () => market.readListing());
    this.publish = guard.step('publish', 'always', () => market.publish());
    this.simulate = guard.step('simulation', 'unless_paused', () => simulator.simulate());
  }

  /** Every step in sequence, for those who want to wait for the outcome. */
  async run(): Promise<void> {
    for (const step of [
      // A mapping that was disabled or deleted, or a pause, stops its offers before anything else is asked of anybody.
      ...[this.refresh, this.publish],
      ...[this.sweep, this.readFeed, this.confirmStops, this.readListing, this.confirmChanges],
      ...[this.refresh, this.publish, this.simulate],
    ])
      await step();
  }
}
