// What the leading scheduler tells of itself, for whoever shows or foretells what it does. Best effort: it may be some
// seconds old or gone, so it may inform, and nothing may depend on it.

import type { SchedulerReport } from '../model/scheduling.ts';

export interface SchedulerBoard {
  /** Takes the place of the last report, and goes by itself after `keptMs` unless it is posted again. Throws `queue_unavailable`. */
  post(report: SchedulerReport, keptMs: number): Promise<void>;
  /** Null when nobody has led lately. Throws `queue_unavailable`. */
  read(): Promise<SchedulerReport | null>;
}
