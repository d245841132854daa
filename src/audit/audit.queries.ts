import type { EntityManager } from 'typeorm';

/** One line of the audit log. */
export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const COLUMNS = 'id, at, actor, action, subject_type AS "subjectType", subject_id AS "subjectId", details';

/** The newest rows, newest first; a null criterion matches everything. */
export async function latestAuditRows(
  manager: EntityManager,
  criteria: { subjectType: string | null; subjectId: string | null; limit: number },
): Promise<AuditRow[]> {
  return manager.query<AuditRow[]>(
    `SELECT ${COLUMNS} FROM audit_log
     WHERE ($1::text IS NULL OR subject_type = $1) AND ($2::text IS NULL OR subject_id = $2)
     ORDER BY id DESC LIMIT $3`,
    [criteria.subjectType, criteria.subjectId, criteria.limit],
  );
}

/** Everything that happened to these orders, reservations and purchases, oldest first. */
export async function auditRowsOfSale(manager: EntityManager, subjectIds: readonly string[]): Promise<AuditRow[]> {
  return manager.query<AuditRow[]>(
    `SELECT ${COLUMNS} FROM audit_log
     WHERE subject_type IN ('order', 'reservation', 'purchase') AND subject_id = ANY ($1)
     ORDER BY id`,
    [subjectIds],
  );
}
