import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { defaultTerms } from '../catalog/mapping-terms.js';
import { AppConfig } from '../config/app-config.js';
import { type ExportPosition, purchasesAgainstSales } from './sales-export.queries.js';
import { type ExportRow, exportRow } from './sales-export.rules.js';

const PAGE_ROWS = 1000;

/** Purchases against sales, for bookkeeping. */
@Injectable()
export class ExportSalesService {
  private readonly defaults;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    config: AppConfig,
  ) {
    this.defaults = defaultTerms(config);
  }

  /** A row per purchase of the orders paid for within [from, to), read page by page: however many, few are in memory. */
  async *rows(window: { from: Date; to: Date }): AsyncIterable<ExportRow> {
    let after: ExportPosition | null = null;
    for (;;) {
      const page = await purchasesAgainstSales(this.dataSource.manager, { ...window, after, limit: PAGE_ROWS });
      for (const purchase of page) yield exportRow(purchase, this.defaults);
      after = page.at(-1) ?? null;
      if (page.length < PAGE_ROWS) return;
    }
  }
}
