// Who did what: one record for each deed of a person or a token, written once and never changed. Holds no secret: no
// password, no token, no environment, no content of a file; a name that nobody has is not kept either, for it may be a
// password in the wrong field.

export const AUDIT_ACTIONS = [
  'account.register',
  'account.sign_in',
  'account.password',
  'account.sign_out',
  'account.sign_out_all',
  'token.create',
  'token.delete',
  'user.create',
  'user.change',
  'user.sign_out',
  'task.submit',
  'task.cancel',
  'task.retry',
  'file.upload',
  'file.delete',
  'upload.begin',
  'upload.delete',
  'webhook.create',
  'webhook.delete',
  'webhook.rotate_secret',
  'webhook.redeliver',
  'worker.register',
  'worker.cordon',
  'worker.uncordon',
  'worker.drain',
  'worker.remove',
  'backup.make',
  'backup.restore',
  'queue_board.open',
  'audit.lost',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** `denied`: the right, the password or the quota was not there; `failed`: anything else stood in the way. */
export const AUDIT_OUTCOMES = ['done', 'denied', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export interface AuditActor {
  readonly userId: string;
  readonly username: string;
  /** Of an API token; null for a sign-in. */
  readonly token: { readonly id: string; readonly name: string } | null;
}

/** What is worth knowing beside the target; short. */
export type AuditDetails = Readonly<Record<string, unknown>>;

export interface AuditEntry {
  /** `audit-` and a ULID of `at`: order of id is order of time. */
  readonly id: string;
  /** By the cluster's clock. */
  readonly at: number;
  /** Null: nobody who is known. */
  readonly actor: AuditActor | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly action: AuditAction;
  /** What it was done to, by the name people use: username, task, worker, path, …; null where there is no one thing. */
  readonly target: string | null;
  readonly outcome: AuditOutcome;
  /** Code of the error; null when it was done. */
  readonly code: string | null;
  readonly details: AuditDetails;
}

/** All actions that one word stands for: `task` for `task.submit` and its like. Empty when it stands for none. */
export function auditActionsOf(word: string): readonly AuditAction[] {
  return AUDIT_ACTIONS.filter((action) => action === word || action.startsWith(`${word}.`));
}

/** What the record says of a deed that ended with an error of this code. */
export function auditOutcomeOf(code: string): AuditOutcome {
  return DENIED.includes(code) ? 'denied' : 'failed';
}

const DENIED: readonly string[] = ['unauthenticated', 'forbidden', 'locked_out', 'quota_exceeded'];
