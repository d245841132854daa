import type { EntityManager } from 'typeorm';
import type { AuditEntry } from '../audit/audit-log.js';
import type { AppConfig } from '../config/app-config.js';
import { whenServed } from '../jobs/when-served.js';
import type { PriceBand } from '../money/price-band.js';
import { guardPrice, isSamePriceList, type PriceEvent, type PriceGuard } from '../pricing/price-guard.rules.js';
import {
  type JudgedReport,
  type StoredProduct,
  storedProducts,
  type SupplierReport,
  writeSupplierReports,
} from './supplier-products.queries.js';

/** The owner's settings: MAX_PRICE_CHANGE_PERCENT, and one interval of synchronization until a price may be confirmed. */
export function priceGuard(config: AppConfig): PriceGuard {
  return { maxChangePercent: config.maxPriceChangePercent, confirmAfterSeconds: config.syncIntervalSeconds };
}

/** How the supplier was asked. */
export interface SupplierQuestion {
  /** Database time just before the request was sent. */
  readonly requestedAt: Date;
  /** It was asked for these very products: what it shows may confirm a price. */
  readonly isAskedById: boolean;
}

/** Reports whose comparison takes long enough that others are served before it. */
const LARGE = 100;

/**
 * Stores what the supplier said, and which of it its feed should have announced; a price that is not believed is kept as unconfirmed, beside the last accepted one. Reports
 * whose price somebody else has changed meanwhile are judged anew.
 * @returns how many were written: not those that the feed repeats, nor those overtaken by a later answer.
 */
export async function storeSupplierReports(
  manager: EntityManager,
  reports: readonly SupplierReport[],
  question: SupplierQuestion,
  guard: PriceGuard,
): Promise<number> {
  const { requestedAt } = question;
  // Each once: pages may shift while they are read.
  const pending = new Map(reports.map((report) => [report.cwsProductId, report]));
  let written = 0;
  while (pending.size > 0) {
    const known = await storedProducts(manager, [...pending.keys()], requestedAt);
    // Reading the rows of a page has taken as long as comparing them will: customers come first. Not those who wait for a transaction.
    if (pending.size > LARGE && manager.queryRunner?.isTransactionActive !== true) await whenServed();
    for (const [id, stored] of known) {
      // A feed repeats itself: what it has said before is as fresh as its last complete pass, without being written again.
      const isRepeated = !question.isAskedById && says(pending.get(id), stored);
      if (stored.isOvertaken || isRepeated) pending.delete(id);
    }
    const judged = [...pending.values()]
      .sort((a, b) => (a.cwsProductId < b.cwsProductId ? -1 : 1))
      .map((report): JudgedReport => {
        const stored = known.get(report.cwsProductId) ?? null;
        const { price, event } = guardPrice(stored, { ...question, bands: report.priceBands }, guard);
        const audit = event === null ? null : auditOf(event, report, stored?.accepted ?? []);
        const isUnannounced = question.isAskedById && stored !== null && isChange(report, stored);
        return { report, price, revision: stored?.revision ?? 0, audit, isUnannounced };
      });
    if (judged.length === 0) break;
    for (const id of await writeSupplierReports(manager, judged, requestedAt)) {
      pending.delete(id);
      written += 1;
    }
  }
  return written;
}

function says(report: SupplierReport | undefined, stored: StoredProduct): boolean {
  return (
    report !== undefined &&
    !stored.isGone &&
    stored.unconfirmed === null &&
    report.name === stored.name &&
    !isChange(report, stored)
  );
}

/**
 * Whether the supplier says something else than it did, whatever of that is believed. Not when a product comes back: a feed
 * cannot list what has vanished, so nothing is to be learned about it there.
 */
function isChange(report: SupplierReport, stored: StoredProduct): boolean {
  const isSame =
    report.quantity === stored.quantity &&
    report.releaseDate?.getTime() === stored.releaseDate?.getTime() &&
    isSamePriceList(report.priceBands, stored.unconfirmed?.bands ?? stored.accepted);
  return !isSame && !stored.isGone;
}

function auditOf(event: PriceEvent, report: SupplierReport, accepted: readonly PriceBand[]): AuditEntry {
  const subjectId = report.cwsProductId;
  const change = { from: accepted, to: report.priceBands };
  return event.kind === 'suspected'
    ? { action: 'supplier_product.price_suspected', subjectId, details: { ...change, reason: event.reason } }
    : { action: `supplier_product.price_${event.kind}`, subjectId, details: change };
}
