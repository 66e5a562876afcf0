// The one error type that crosses rooms. Match `code`, never message text.
// A task that fails is an outcome (data), not an error; errors are faults of a call or of a part.

export const ERROR_CODES = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'username_taken',
  'idempotency_mismatch',
  'locked_out',
  'rate_limited',
  'quota_exceeded',
  'too_large',
  'checksum_mismatch',
  'range_not_satisfiable',
  'store_unavailable',
  'queue_unavailable',
  'runtime_unavailable',
  'image_not_found',
  'image_pull_failed',
  'container_start_failed',
  'disk_full',
  'worker_id_taken',
  'adoption_refused',
  'superseded',
  'timed_out',
  'bad_config',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface AppErrorOptions {
  /** True when the same call may succeed later without any change. */
  readonly retryable?: boolean;
  /** Seconds a caller should wait before it tries again. */
  readonly retryAfterSeconds?: number;
  /** One line per single fault, e.g. one per bad field. */
  readonly details?: readonly ErrorDetail[];
  readonly cause?: unknown;
}

export interface ErrorDetail {
  /** Dotted path of the field or name of the setting at fault, in the caller's own spelling. */
  readonly field: string;
  readonly message: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.details = options.details ?? [];
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** Text of anything thrown, for logs and messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
