import type { EntityManager } from 'typeorm';
import { ORDER_STATES, type OrderState } from '../orders/order-state.rules.js';

/** How much of everything there is. */
export interface StatusCounts {
  readonly mappings: { readonly total: number; readonly enabled: number };
  readonly offers: {
    readonly forSale: number;
    /** Offers not for sale, by reason. */
    readonly off: Readonly<Record<string, number>>;
    /** Offers that keep failing, and are tried once an hour only. */
    readonly quarantined: number;
  };
  readonly orders: Readonly<Record<OrderState, number>>;
  readonly openAlerts: number;
  /** Time since the start of the last complete pass over the supplier's feed; null before the first. */
  readonly feedAgeSeconds: number | null;
}

interface StatusRow {
  totalMappings: number;
  enabledMappings: number;
  offersForSale: number;
  offersQuarantined: number;
  offersOff: Record<string, number> | null;
  orders: Partial<Record<OrderState, number>> | null;
  openAlerts: number;
  feedAgeSeconds: number | null;
}

/** All counts as of one moment. */
export async function statusCounts(manager: EntityManager): Promise<StatusCounts> {
  const [row] = await manager.query<[StatusRow]>(`
    SELECT
      (SELECT count(*) FROM product_mappings) AS "totalMappings",
      (SELECT count(*) FROM product_mappings WHERE is_enabled) AS "enabledMappings",
      (SELECT count(*) FROM offers WHERE desired_is_active) AS "offersForSale",
      (SELECT count(*) FROM offers WHERE quarantined_at IS NOT NULL) AS "offersQuarantined",
      (SELECT jsonb_object_agg(reason, number) FROM (
         SELECT desired_reason AS reason, count(*) AS number FROM offers WHERE NOT desired_is_active GROUP BY 1
       ) off) AS "offersOff",
      (SELECT jsonb_object_agg(state, number) FROM (
         SELECT state, count(*) AS number FROM orders GROUP BY 1
       ) by_state) AS orders,
      (SELECT count(*) FROM alerts WHERE cleared_at IS NULL) AS "openAlerts",
      (SELECT floor(extract(epoch FROM now() - min(pass_started_at)))::integer FROM sync_cursors) AS "feedAgeSeconds"
  `);
  return {
    mappings: { total: row.totalMappings, enabled: row.enabledMappings },
    offers: { forSale: row.offersForSale, off: row.offersOff ?? {}, quarantined: row.offersQuarantined },
    orders: ordersByState(row.orders ?? {}),
    openAlerts: row.openAlerts,
    feedAgeSeconds: row.feedAgeSeconds,
  };
}

function ordersByState(found: Partial<Record<OrderState, number>>): Record<OrderState, number> {
  return Object.fromEntries(ORDER_STATES.map((state) => [state, found[state] ?? 0])) as Record<OrderState, number>;
}
