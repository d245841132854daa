import type { EntityManager } from 'typeorm';
import type { PriceBand } from '../money/price-band.js';

/** A supplier's prices, in the account's currency: the ones that were accepted last, and the ones that it shows. */
interface PriceListChange {
  from: readonly PriceBand[];
  to: readonly PriceBand[];
}

/**
 * What each action records. Offers and mappings change in bulk or by hand: their rows are written by the statements in
 * catalog/offers.queries.ts and by triggers on the mapping tables. Never a key, a secret or a customer's data.
 */
export interface AuditDetails {
  'reservation.created': { items: { g2aProductId: number; quantity: number; salePriceCents: number }[] };
  'reservation.renewed': { wasExpired: boolean };
  'reservation.released': Record<string, never>;
  'reservation.ordered': { orderId: string };
  'order.accepted': { reservationId: string; g2aOrderId: number };
  'order.state_changed': { from: string; to: string; reason?: string; note?: string };
  'order.reason_changed': { reason: string };
  'purchase.intended': { orderId: string; cwsProductId: string; quantity: number; priceCapCents: number };
  'purchase.state_changed': { from: string; to: string; cwsOrderId?: string; unitPriceCents?: number; reason?: string };
  'purchase.keys_stored': { count: number };
  'supplier_order.resolved': { note: string };
  'purchase_lookup.trusted': { missedAt: string; note: string };
  'alert.cleared': { kind: string; subject: string; note: string };
  'keys.rotated': { count: number; from: string[]; to: string };
  'order.keys_delivered': { count: number };
  'order.keys_returned': { count: number; keyIds: string[] };
  'offer.deactivated_by_g2a': { g2aProductId: number; message: string };
  'offer.deactivation_cleared': { g2aProductId: number };
  'supplier_product.price_suspected': PriceListChange & { reason: string };
  'supplier_product.price_confirmed': PriceListChange;
  'supplier_product.price_withdrawn': PriceListChange;
  'supplier_product.price_accepted': PriceListChange;
  'control.paused': { reason: string | null };
  'control.resumed': Record<string, never>;
  /** `products`: how many have lost their prices, which were in the old one. */
  'control.currency_changed': { from: string; to: string; products: number };
}
export type AuditAction = keyof AuditDetails;

/** One line of the audit log, typed by its action. */
export type AuditEntry = {
  [A in AuditAction]: { action: A; subjectId: string; details: AuditDetails[A] };
}[AuditAction];

/** Who acts; people are named as `admin:<name>` or `cli:<name>`. */
export type AuditActor = 'g2a' | 'sync' | 'orders' | `admin:${string}` | `cli:${string}`;

/**
 * Writes audit rows in the caller's transaction, so that a change and its record stand or fall together. The subject's type
 * is the action's first word.
 */
export async function writeAudit(
  manager: EntityManager,
  actor: AuditActor,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await manager.query(
    `INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
     SELECT $1, action, split_part(action, '.', 1), subject_id, details
     FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS entry (action, subject_id, details)`,
    [
      actor,
      entries.map((entry) => entry.action),
      entries.map((entry) => entry.subjectId),
      entries.map((entry) => JSON.stringify(entry.details)),
    ],
  );
}

/**
 * The same as a part of a larger statement: an INSERT of the entries that auditParameter put into `parameter`, such as '$3'.
 * What is not certain to happen must not be audited this way: the rows are written whatever the rest of the statement does.
 */
export function auditInsert(actor: 'g2a' | 'sync' | 'orders', parameter: `$${number}`): string {
  return `INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
    SELECT '${actor}', action, split_part(action, '.', 1), "subjectId", details
    FROM jsonb_to_recordset(${parameter}::jsonb) AS entry (action text, "subjectId" text, details jsonb)`;
}

/** The value of auditInsert's parameter. */
export function auditParameter(entries: readonly AuditEntry[]): string {
  return JSON.stringify(entries);
}
