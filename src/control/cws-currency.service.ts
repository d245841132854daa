import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { writeAudit } from '../audit/audit-log.js';
import { forgetSupplierPrices } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { inTransaction } from '../database/one-connection.js';

/**
 * CWS's prices are stored as bare numbers, in the currency of its account. When that is another one than at the last start, they
 * would be taken for amounts of the new one: they are forgotten before anything is offered, reserved or bought by them.
 */
@Injectable()
export class CwsCurrencyService implements OnModuleInit {
  private readonly logger = new Logger(CwsCurrencyService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
  ) {}

  /** Before the application is up: no job, no request and no synchronization has begun. */
  async onModuleInit(): Promise<void> {
    const to = this.config.cwsTargetCurrency;
    await inTransaction(this.dataSource, async (manager) => {
      const from = await exchangeCurrency(manager, to);
      // Of a database without one nothing is known to be wrong: it is new, or from before it was remembered.
      if (from === null || from === to) return;
      const products = await forgetSupplierPrices(manager);
      await writeAudit(manager, 'sync', [
        { action: 'control.currency_changed', subjectId: 'installation', details: { from, to, products } },
      ]);
      this.logger.warn(
        `CWS_TARGET_CURRENCY was ${from} and is ${to}: ${products} stored prices of CWS are forgotten, and asked for anew`,
      );
    });
  }
}

/** @returns the currency that was remembered before; of replicas that start together, one gets the old one. */
async function exchangeCurrency(manager: EntityManager, currency: string): Promise<string | null> {
  const [[row]] = await manager.query<[[{ before: string | null }], number]>(
    `UPDATE control_state SET cws_currency = $1
     FROM (SELECT id, cws_currency AS before FROM control_state FOR UPDATE) known
     WHERE control_state.id = known.id RETURNING before`,
    [currency],
  );
  return row.before;
}
