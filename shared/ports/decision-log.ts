// The newest decisions of the schedulers, to be looked at and decided again. A ring of bounded size: the oldest go
// first, and all may be lost. Nothing may depend on it.

export interface DecisionEntry {
  /** Grows with each entry; a place to go on from. */
  readonly id: string;
  /** One pass, as `scheduler/core/decision-record.ts` writes it: JSON on one line. */
  readonly line: string;
}

/** All calls throw AppError `queue_unavailable` when it cannot be reached. */
export interface DecisionLog {
  /** Adds at the end and lets the oldest go that are more than `maxBytes` together (about). */
  append(lines: readonly string[], maxBytes: number): Promise<void>;
  /** Oldest first, after `after` (exclusive). */
  read(page: { after?: string | undefined; limit: number }): Promise<DecisionEntry[]>;
  /** The id of the newest entry and how many there are; null when there is none. */
  newest(): Promise<{ id: string; entries: number } | null>;
}
