import type { AuditActor } from '../audit/audit-log.js';
import type { AppConfig } from '../config/app-config.js';

/** The width of `audit_log.actor`. */
const MAX_ACTOR_LENGTH = 64;

/** Who the audit log names for what is done over HTTP. */
export function adminActor({ adminUsername }: AppConfig): AuditActor {
  return `admin:${adminUsername.slice(0, MAX_ACTOR_LENGTH - 'admin:'.length)}`;
}
