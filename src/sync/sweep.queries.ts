import type { EntityManager } from 'typeorm';

/** What to ask the supplier for by id now. */
export interface SweepTargets {
  readonly now: Date;
  /** Everything mapped was asked for since `cycleStartedAt`. */
  readonly isCycleComplete: boolean;
  /** Without an answer nothing can be sold: changed prices that may be confirmed now first, then what was never seen. */
  readonly urgent: readonly string[];
  /** Hot products that were not asked for lately, the oldest first. */
  readonly hot: readonly string[];
  /** The same of all others. */
  readonly rest: readonly string[];
}

export interface SweepQuestion {
  /** How long after its first sight a changed price may be confirmed. */
  readonly confirmAfterSeconds: number;
  readonly hotAfterSeconds: number;
  readonly restAfterSeconds: number;
  /** How many products can be hot. */
  readonly hotProducts: number;
  /** Up to so many pieces a product may be sold out any moment. */
  readonly lowStock: number;
  /** Null: no cycle has begun. */
  readonly cycleStartedAt: Date | null;
  /** Products that the supplier's answers do not tell about: not asked for again in this cycle. */
  readonly except: readonly string[];
  /** Of each list. */
  readonly limit: number;
}

/**
 * Hot is, of what a mapping sells, first what was sold or reserved within the last hour, then what has changed within the last
 * ten minutes, then what is nearly sold out. Tables of orders/ are read here and never written: the sweep alone wants to know
 * what sells, and no sale should have to wait for telling it.
 */
const TARGETS = `
  WITH demanded AS MATERIALIZED (
    SELECT other.cws_product_id
    FROM (SELECT DISTINCT cws_product_id FROM stock_holds) held
    JOIN product_mapping_suppliers link USING (cws_product_id)
    JOIN product_mapping_suppliers other ON other.g2a_product_id = link.g2a_product_id
    UNION
    SELECT cws_product_id FROM purchases WHERE created_at > now() - interval '1 hour'
    UNION
    SELECT link.cws_product_id
    FROM reservations reservation
    JOIN reservation_items item ON item.reservation_id = reservation.id
    JOIN product_mapping_suppliers link ON link.g2a_product_id = item.g2a_product_id
    -- By the index on expires_at: with the usual lifetime these are the reservations of the last hour. Those that live have holds.
    WHERE reservation.state <> 'ordered' AND reservation.expires_at > now() - interval '30 minutes'
      AND (reservation.state = 'released' OR reservation.expires_at <= now())
  ), candidate AS MATERIALIZED (
    SELECT mapped.cws_product_id, product.requested_at, product.changed_at,
      coalesce(product.requested_at < mapped.mapped_at, true) AS is_new,
      coalesce(product.unconfirmed_reason = 'price_changed' AND NOT product.is_gone
        AND product.unconfirmed_since <= now() - make_interval(secs => $1), false) AS is_to_confirm,
      CASE WHEN mapped.is_enabled AND NOT product.is_gone THEN
        CASE WHEN demanded.cws_product_id IS NULL THEN 0 ELSE 4 END
        + CASE WHEN product.changed_at > now() - interval '10 minutes' THEN 2 ELSE 0 END
        + CASE WHEN product.quantity BETWEEN 1 AND $5 THEN 1 ELSE 0 END
      ELSE 0 END AS heat
    FROM (
      SELECT link.cws_product_id, max(link.mapped_at) AS mapped_at, bool_or(mapping.is_enabled) AS is_enabled
      FROM product_mapping_suppliers link JOIN product_mappings mapping USING (g2a_product_id)
      GROUP BY link.cws_product_id
    ) mapped
    LEFT JOIN supplier_products product USING (cws_product_id)
    LEFT JOIN demanded USING (cws_product_id)
    WHERE mapped.cws_product_id <> ALL ($7::uuid[])
  ), hot AS (
    SELECT cws_product_id, true AS is_hot FROM candidate WHERE heat > 0
    ORDER BY heat DESC, changed_at DESC, cws_product_id LIMIT $4
  )
  SELECT clock_timestamp() AS now,
    (SELECT coalesce(bool_and(NOT is_new AND requested_at >= $6), true) FROM candidate) AS "isCycleComplete",
    ARRAY(
      -- A feed that repeats a change renews requested_at with every pass, and never confirms: only unconfirmed_since counts.
      SELECT cws_product_id::text FROM candidate WHERE is_to_confirm OR is_new
      ORDER BY is_to_confirm DESC, requested_at NULLS FIRST, cws_product_id LIMIT $8
    ) AS urgent,
    ARRAY(
      SELECT cws_product_id::text FROM candidate JOIN hot USING (cws_product_id)
      WHERE NOT (is_to_confirm OR is_new) AND requested_at < now() - make_interval(secs => $2)
      ORDER BY requested_at, cws_product_id LIMIT $8
    ) AS hot,
    ARRAY(
      SELECT cws_product_id::text FROM candidate LEFT JOIN hot USING (cws_product_id)
      WHERE is_hot IS NULL AND NOT (is_to_confirm OR is_new)
        AND requested_at < now() - make_interval(secs => $3)
      ORDER BY requested_at, cws_product_id LIMIT $8
    ) AS rest`;

/** One look at all that is mapped: some 0.2 s of the database's time for 100,000 products. */
export async function sweepTargets(manager: EntityManager, question: SweepQuestion): Promise<SweepTargets> {
  const [targets] = await manager.query<[SweepTargets]>(TARGETS, [
    question.confirmAfterSeconds,
    question.hotAfterSeconds,
    question.restAfterSeconds,
    question.hotProducts,
    question.lowStock,
    question.cycleStartedAt,
    question.except,
    question.limit,
  ]);
  return targets;
}
