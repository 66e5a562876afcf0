// How a runner ends when it is told to stop, and how long that may take. Pure.

/**
 * What becomes of its work. `leave`: containers go on and the next life adopts them. `finish`: it ends when they have
 * ended. `hand-over`: their tasks go back to the queue.
 */
export const SHUTDOWN_MODES = ['leave', 'finish', 'hand-over'] as const;
export type ShutdownMode = (typeof SHUTDOWN_MODES)[number];

export interface ShutdownConfig {
  readonly mode: ShutdownMode;
  /** How long what runs may go on (`finish`), or handing it over may take. */
  readonly deadlineMs: number;
  /** How long handing over may take that follows on `finish`. */
  readonly handOverMs: number;
}

/** A process that leaves everything as it is has ended within it. */
export const LEAVE_MS = 15_000;
/** To keep output and files and to commit what was stopped. */
const KEEP_MS = 30_000;

export function shutdownConfig(
  mode: ShutdownMode,
  deadlineSeconds: number,
  graceSeconds: number,
): ShutdownConfig {
  return { mode, deadlineMs: deadlineSeconds * 1_000, handOverMs: graceSeconds * 1_000 + KEEP_MS };
}

/** Within which a runner has stopped, or ends without more ado. */
export function stopDeadlineOf({ mode, deadlineMs, handOverMs }: ShutdownConfig): number {
  if (mode === 'leave') return LEAVE_MS;
  return deadlineMs + (mode === 'finish' ? handOverMs : 0) + LEAVE_MS;
}
