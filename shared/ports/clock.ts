// Time and chance, handed in so that tests can hold them still.

export interface Clock {
  /** Milliseconds since the epoch, for records. In a process of the cluster by the cluster's clock, not the machine's. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go back, for leases and deadlines. */
  monotonic(): number;
}

/** The clock that all processes of a cluster can ask. */
export interface TimeSource {
  /** Milliseconds since the epoch. Throws `queue_unavailable` when it does not answer. */
  read(): Promise<number>;
}

/** The cluster's clock as one process knows it. */
export interface ClusterClock extends Clock {
  /** How far this machine's clock is ahead of the cluster's (behind: below zero); null before it was measured. */
  offsetMs(): number | null;
}
