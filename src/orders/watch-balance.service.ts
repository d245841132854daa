import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { claimBalanceQuestion, readBalance, storeBalance } from '../catalog/account-balance.queries.js';
import { currentRate } from '../catalog/exchange-rates.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { settlesWithin } from '../jobs/settles-within.js';
import type { Cents } from '../money/cents.js';
import { inEuro } from '../pricing/exchange-rate.rules.js';
import { lowBalanceText, refusedPurchaseText } from './balance-texts.rules.js';
import { countCommitted, owedCost } from './committed-money.queries.js';

const INTERVAL_MS = 5000;
/** How often CWS is asked when nothing happens. */
const ASK_SECONDS = 60;
/** Purchases and refused customers share one question within this time. */
const SHARED_SECONDS = 5;
/** What is spoken for is counted this often, by one of the replicas: a little less than the interval. */
const COUNT_SECONDS = 4;
/** How long a customer is kept waiting for CWS; G2A itself waits about 9 s for the whole answer. */
const PATIENCE_MS = 3000;
/** Questions in a row without an answer, a minute apart, after which a person hears of it. */
const FAILURES_TO_TELL = 10;

/** Keeps an eye on what the supplier account can pay. */
@Injectable()
export class WatchBalanceService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WatchBalanceService.name);
  private hasBought = false;
  /** For want of money, and nothing was sold since. */
  private wasRefused = false;
  private failures = 0;
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
  ) {}

  onApplicationBootstrap(): void {
    void this.tick();
  }

  /** An answer that is about to come is stored before the database is left. */
  async beforeApplicationShutdown(): Promise<void> {
    await settlesWithin(this.underWay, PATIENCE_MS);
  }

  /** Asks once a minute, after purchases at once. Never rejects: the next tick tries again. */
  @Interval(INTERVAL_MS)
  async tick(): Promise<void> {
    await this.look(this.hasBought ? SHARED_SECONDS : ASK_SECONDS, COUNT_SECONDS);
  }

  /**
   * Before a customer is turned away: asks CWS, unless it has been asked within 5 s, and counts anew what is spoken for. Goes on
   * after 3 s with what is known then. Never within a transaction, never rejects.
   */
  async refresh(): Promise<void> {
    await settlesWithin(this.look(SHARED_SECONDS, 0), PATIENCE_MS);
  }

  /** CWS took a purchase: whoever waited for money goes on, and the balance is another one. */
  async noteBought(): Promise<void> {
    this.hasBought = true;
    if (!this.wasRefused) return;
    this.wasRefused = false;
    // Somebody has put money in: customers need not be turned away until the next tick.
    await settlesWithin(this.look(0, 0), PATIENCE_MS);
  }

  /** CWS refused a purchase because the balance is too low: a person hears how much is missing. */
  async noteRefused({ quantity, priceCapCents }: { quantity: number; priceCapCents: Cents }): Promise<void> {
    this.wasRefused = true;
    await settlesWithin(this.look(0, 0), PATIENCE_MS);
    const { manager } = this.dataSource;
    const { totalToUseCents } = await readBalance(manager);
    const message = refusedPurchaseText({
      quantity,
      priceCap: priceCapCents,
      currency: this.config.cwsTargetCurrency,
      owed: await owedCost(manager),
      totalToUse: totalToUseCents,
    });
    await this.alerts.raise('balance_too_low', '', message);
  }

  /** One look at a time; never rejects. */
  private async look(askGapSeconds: number, countGapSeconds: number): Promise<void> {
    this.underWay = this.underWay
      .then(() => this.askAndCount(askGapSeconds, countGapSeconds))
      .catch((error: unknown) => {
        this.logger.warn(
          `the balance could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    await this.underWay;
  }

  private async askAndCount(askGapSeconds: number, countGapSeconds: number): Promise<void> {
    const { manager } = this.dataSource;
    const currency = this.config.cwsTargetCurrency;
    await countCommitted(manager, countGapSeconds);
    const askedAt = await claimBalanceQuestion(manager, currency, askGapSeconds);
    if (askedAt === null) return;
    this.hasBought = false;
    try {
      const { totalToUse } = await this.cws.account();
      await storeBalance(manager, { totalToUse, currency, askedAt });
    } catch (error) {
      await this.noteFailure(error);
      return;
    }
    await countCommitted(manager, 0);
    this.failures = 0;
    await this.alerts.clear('balance_unknown');
    await this.tell();
  }

  private async noteFailure(error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.failures += 1;
    if (this.failures === 1) this.logger.warn(`CWS does not say its balance: ${reason}`);
    if (this.failures >= FAILURES_TO_TELL) await this.alerts.raise('balance_unknown', '', reason);
  }

  private async tell(): Promise<void> {
    const { manager } = this.dataSource;
    const { totalToUseCents: totalToUse, committedCents: committed } = await readBalance(manager);
    const { last: rate } = await currentRate(manager, this.config);
    // Without a rate nothing can be said; `exchange_rate_missing` tells why.
    if (totalToUse !== null && rate !== null) {
      const { cwsTargetCurrency: currency, lowBalanceAlert: limitInEuro } = this.config;
      const totalInEuro = inEuro(totalToUse, rate);
      const message = lowBalanceText({ totalToUse, committed, currency, totalInEuro, limitInEuro });
      if (totalInEuro < limitInEuro) await this.alerts.raise('low_balance', '', message);
      else await this.alerts.clear('low_balance');
    }
    // One purchase says nothing about the others that wait, nor does a balance that CWS itself finds too low. Nothing is owed either when a
    // person has settled the orders that waited for money.
    const owed = await owedCost(manager);
    const isPayable = totalToUse !== null && owed <= totalToUse && !this.wasRefused;
    if (owed === 0 || isPayable) await this.alerts.clear('balance_too_low');
  }
}
