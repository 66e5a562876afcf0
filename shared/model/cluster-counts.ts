// What the leading scheduler has counted of the cluster: once for each thing that happened, whichever process did it. Goes
// from leader to leader with its report, so a change of leaders does not begin anew. Pure.

/** How often a value fell into each bucket, one more than there are bounds for what is above all; and their sum. */
export interface Distribution {
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface ClusterCounts {
  /** What happened up to then, by the clock of the cluster, is in it or was never counted. */
  readonly upTo: number;
  readonly passes: Distribution;
  readonly placements: number;
  /** Seconds in the queue until each placement, by tag. */
  readonly waits: Readonly<Record<string, Distribution>>;
  /** Seconds that the last attempt of each ended task ran, by tag. */
  readonly runs: Readonly<Record<string, Distribution>>;
  /** Ended tasks by state, failed ones by `failed/<reason>`. */
  readonly ended: Readonly<Record<string, number>>;
  /** Attempts after which their task waited again, by reason. */
  readonly retries: Readonly<Record<string, number>>;
  /** Attempts that a fault of a worker has cost, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  /** By cause. */
  readonly evictions: Readonly<Record<string, number>>;
  /** Completed tasks by whether they met their deadline. */
  readonly inTime: number;
  readonly late: number;
}

/** Unfinished tasks by how they stand against their deadline; null until all were looked at once. */
export type SlaStanding = Readonly<Record<'safe' | 'at_risk' | 'missed', number>>;

/** Upper bounds in seconds. */
export const PASS_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
export const WAIT_BOUNDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200, 86_400];
export const RUN_BOUNDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** Tags that have series of their own; the others share one. */
export const MOST_TAGS = 20;
export const OTHER_TAGS = 'other';
export const NO_TAG = 'none';
