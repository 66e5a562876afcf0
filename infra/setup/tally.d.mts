// Types of tally.mjs, for its tests.

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function tally(steps: unknown, report: unknown): Counts;
export function wording(counts: Counts): string;
