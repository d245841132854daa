import { userInfo } from 'node:os';
import type { AuditActor } from '../audit/audit-log.js';

/** The person at the keyboard, for the audit log. */
export function operator(): AuditActor {
  try {
    return `cli:${userInfo().username}`.slice(0, 64) as AuditActor;
  } catch {
    // A container may run under a user id that has no name.
    return `cli:uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
