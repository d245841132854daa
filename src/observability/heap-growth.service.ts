import { setFlagsFromString } from 'node:v8';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

/** V8's option: how much garbage may gather before it is collected, in percent of what lives. */
export const HEAP_GROWTH_FLAG = '--heap-growing-percent';
/** Left to itself V8 takes anything from 30 to 300. */
const USUAL_PERCENT = 100;
/** The same where much lives, at the price of more collections. */
const LARGE_PERCENT = 50;
/** Mapped products above which a shop is large. */
const LARGE_ABOVE_PRODUCTS = 30_000;
const LOOK_MS = 60_000;

/**
 * Keeps memory steady, and down where there is much of it: garbage gathers up to a fixed share of what lives (docs/adr/0014). A flag that
 * V8 reads at each collection (Node 20 to 24), not a limit of the heap: it never ends the process.
 */
@Injectable()
export class HeapGrowthService implements OnApplicationBootstrap {
  private readonly logger = new Logger(HeapGrowthService.name);

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    allowGarbage(USUAL_PERCENT);
    void this.look();
  }

  @Interval(LOOK_MS)
  protected async look(): Promise<void> {
    try {
      allowGarbage((await this.isLarge()) ? LARGE_PERCENT : USUAL_PERCENT);
    } catch (error) {
      this.logger.warn(`cannot count the mapped products: ${String(error)}`);
    }
  }

  private async isLarge(): Promise<boolean> {
    const [row] = await this.dataSource.query<[{ isLarge: boolean }]>(
      'SELECT EXISTS (SELECT FROM product_mappings OFFSET $1) AS "isLarge"',
      [LARGE_ABOVE_PRODUCTS],
    );
    return row.isLarge;
  }
}

function allowGarbage(percent: number): void {
  setFlagsFromString(`${HEAP_GROWTH_FLAG}=${percent}`);
}
