import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { METRIC_PREFIX, Metrics } from './metrics.js';
import { withDeadline } from './with-deadline.js';

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  /** Label that tells the rows of `sql` apart; none when there is one row. */
  readonly label?: string;
  /** Answers rows of `value` and, with a label, `label`. Plain SQL, because entities live above this floor. */
  readonly sql: string;
}

interface GaugeRow {
  label?: string;
  value: number;
}

const DEFINITIONS: readonly GaugeDefinition[] = [
  {
    name: 'orders',
    help: 'Orders by state.',
    label: 'state',
    sql: 'SELECT state AS label, count(*) AS value FROM orders GROUP BY state',
  },
  {
    name: 'offers',
    help: 'Offers by what they should show: for_sale, or why not.',
    label: 'reason',
    sql: 'SELECT desired_reason AS label, count(*) AS value FROM offers GROUP BY desired_reason',
  },
  {
    name: 'open_alerts',
    help: 'Alerts that nobody and nothing has cleared, by kind.',
    label: 'kind',
    sql: 'SELECT kind AS label, count(*) AS value FROM alerts WHERE cleared_at IS NULL GROUP BY kind',
  },
  {
    name: 'oldest_unfinished_order_age_seconds',
    help: 'Age of the oldest order whose keys are still to come; 0 when there is none.',
    sql: `SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS value
          FROM orders WHERE state IN ('accepted', 'purchasing', 'fulfilling')`,
  },
  {
    name: 'feed_age_seconds',
    help: 'Time since the start of the last complete pass over a feed; absent before the first.',
    label: 'feed',
    sql: 'SELECT name AS label, extract(epoch FROM now() - pass_started_at)::float8 AS value FROM sync_cursors',
  },
  {
    name: 'feed_reliable',
    help: '1 while the feed is believed, 0 while it misses changes; absent before the first complete pass.',
    label: 'feed',
    sql: 'SELECT name AS label, (unreliable_since IS NULL)::integer AS value FROM sync_cursors',
  },
  {
    name: 'feed_missed_changes',
    help: 'Changes of supplier products, found within the last ten minutes, that the feed has not announced.',
    sql: `SELECT count(*) AS value FROM unannounced_changes
          WHERE verdict = 'missed' AND judged_at > now() - interval '10 minutes'`,
  },
  {
    name: 'sweep_cycle_seconds',
    help: 'How long the sweep last needed to ask for every mapped product once; absent before that.',
    sql: 'SELECT sweep_cycle_seconds AS value FROM sync_cursors WHERE sweep_cycle_seconds IS NOT NULL',
  },
];

/** A scrape must not wait for a database that does not answer: the process' own metrics are wanted then above all. */
const DATABASE_DEADLINE_MS = 2_000;

/** What the database knows about the business, asked on every scrape, so that every replica shows the same. */
@Injectable()
export class DomainGauges {
  private readonly gauges: readonly { sql: string; gauge: Gauge }[];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    metrics: Metrics,
  ) {
    this.gauges = DEFINITIONS.map(({ name, help, label, sql }) => ({
      sql,
      gauge: new Gauge({
        name: METRIC_PREFIX + name,
        help,
        labelNames: label === undefined ? [] : [label],
        registers: [metrics.registry],
      }),
    }));
    metrics.onScrape(() => this.refresh());
  }

  private async refresh(): Promise<void> {
    try {
      await withDeadline(this.readAll(), DATABASE_DEADLINE_MS);
    } catch {
      for (const { gauge } of this.gauges) show(gauge, []);
    }
  }

  // One after the other: a scrape takes one connection of the pool, not five.
  private async readAll(): Promise<void> {
    for (const { sql, gauge } of this.gauges) show(gauge, await this.dataSource.query<GaugeRow[]>(sql));
  }
}

function show(gauge: Gauge, rows: readonly GaugeRow[]): void {
  gauge.reset();
  // A gauge without labels is 0 after a reset; removed, it is absent.
  gauge.remove({});
  for (const { label, value } of rows) gauge.labels(...(label === undefined ? [] : [label])).set(value);
}
