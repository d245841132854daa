import type { EntityManager } from 'typeorm';
import { clearAlert } from '../alerts/alerts.queries.js';
import { writeAudit } from '../audit/audit-log.js';
import { operator } from './operator.js';

/** Closes an alert for the person at the keyboard, audited. @returns whether it was open. */
export async function clearAlertByHand(
  manager: EntityManager,
  { kind, subject, note }: { kind: string; subject: string; note: string },
): Promise<boolean> {
  const id = await clearAlert(manager, kind, subject);
  if (id === null) return false;
  await writeAudit(manager, operator(), [{ action: 'alert.cleared', subjectId: id, details: { kind, subject, note } }]);
  return true;
}
