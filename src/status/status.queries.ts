import type { EntityManager } from 'typeorm';
import { ORDER_STATES, type OrderState } from '../orders/order-state.rules.js';

/** The replica that synchronizes. */
export interface Leader {
  /** A number that its process drew when it started. */
  readonly id: string;
  readonly since: Date;
}

/** How well we know what the supplier has, and how much of everything there is. */
export interface StatusNumbers {
  /** Who holds the lease of synchronization; null: nobody, so offers on G2A stay as they are. */
  readonly leader: Leader | null;
  /** Time since the start of the last complete pass over the supplier's feed; null before the first. */
  readonly feedAgeSeconds: number | null;
  /** Since when the feed is not believed, because it misses changes; null: it is, or was never read. */
  readonly feedUnreliableSince: Date | null;
  /** How long the sweep last took to ask for every mapped product once; null: not measured yet. */
  readonly sweepCycleSeconds: number | null;
  readonly mappings: { readonly total: number; readonly enabled: number };
  readonly offers: {
    readonly total: number;
    /** Those that should be for sale, as of the last time that somebody synchronized. */
    readonly forSale: number;
    /** Offers not for sale, by reason; reasons without an offer are absent. */
    readonly off: Readonly<Record<string, number>>;
    /** Offers that keep failing, and are tried once an hour only. */
    readonly quarantined: number;
  };
  readonly orders: Readonly<Record<OrderState, number>>;
  readonly openAlerts: number;
}

type StatusRow = Omit<StatusNumbers, 'leader' | 'orders'> & {
  readonly leaderId: string | null;
  readonly leaderSince: Date | null;
  readonly orders: Partial<Record<OrderState, number>>;
};

/** All of it as of one moment. */
export async function statusNumbers(manager: EntityManager): Promise<StatusNumbers> {
  const [{ leaderId, leaderSince, orders, ...others }] = await manager.query<[StatusRow]>(`
    SELECT
      leader.holder AS "leaderId",
      leader.acquired_at AS "leaderSince",
      floor(extract(epoch FROM now() - feed.pass_started_at))::integer AS "feedAgeSeconds",
      feed.unreliable_since AS "feedUnreliableSince",
      feed.sweep_cycle_seconds AS "sweepCycleSeconds",
      (SELECT jsonb_build_object('total', count(*), 'enabled', count(*) FILTER (WHERE is_enabled))
       FROM product_mappings) AS mappings,
      (SELECT jsonb_build_object(
         'total', coalesce(sum(number), 0),
         'forSale', coalesce(sum(number) FILTER (WHERE is_on), 0),
         'off', coalesce(jsonb_object_agg(reason, number) FILTER (WHERE NOT is_on), '{}'),
         'quarantined', coalesce(sum(quarantined), 0))
       FROM (SELECT desired_is_active AS is_on, CASE WHEN NOT desired_is_active THEN desired_reason END AS reason,
               count(*) AS number, count(quarantined_at) AS quarantined
             FROM offers GROUP BY 1, 2) by_reason) AS offers,
      (SELECT coalesce(jsonb_object_agg(state, number), '{}')
       FROM (SELECT state, count(*) AS number FROM orders GROUP BY 1) by_state) AS orders,
      (SELECT count(*) FROM alerts WHERE cleared_at IS NULL) AS "openAlerts"
    FROM (VALUES (1)) AS one
      LEFT JOIN sync_leadership leader ON leader.holder IS NOT NULL AND leader.expires_at > clock_timestamp()
      LEFT JOIN sync_cursors feed ON feed.name = 'cws_products'
  `);
  return {
    leader: leaderId === null || leaderSince === null ? null : { id: leaderId, since: leaderSince },
    ...others,
    orders: ordersByState(orders),
  };
}

function ordersByState(found: Partial<Record<OrderState, number>>): Record<OrderState, number> {
  return Object.fromEntries(ORDER_STATES.map((state) => [state, found[state] ?? 0])) as Record<OrderState, number>;
}
