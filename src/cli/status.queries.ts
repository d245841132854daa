import type { EntityManager } from 'typeorm';
import type { OrderState } from '../orders/order-state.rules.js';

/** How much there is of everything. */
export interface Counts {
  readonly mappings: { readonly total: number; readonly enabled: number };
  /** Known offers, and among them those that should be for sale, and that keep failing and are tried once an hour only. */
  readonly offers: { readonly total: number; readonly forSale: number; readonly quarantined: number };
  readonly openAlerts: number;
  /** States without an order are absent. */
  readonly orders: Readonly<Partial<Record<OrderState, number>>>;
}

/** Counts everything as of one moment. */
export async function countEverything(manager: EntityManager): Promise<Counts> {
  const [counts] = await manager.query<[Counts]>(
    `SELECT
       (SELECT jsonb_build_object('total', count(*), 'enabled', count(*) FILTER (WHERE is_enabled))
        FROM product_mappings) AS mappings,
       (SELECT jsonb_build_object('total', count(*), 'forSale', count(*) FILTER (WHERE desired_is_active),
          'quarantined', count(quarantined_at))
        FROM offers) AS offers,
       (SELECT count(*) FROM alerts WHERE cleared_at IS NULL) AS "openAlerts",
       (SELECT coalesce(jsonb_object_agg(state, amount), '{}')
        FROM (SELECT state, count(*) AS amount FROM orders GROUP BY state) AS by_state) AS orders`,
  );
  return counts;
}
