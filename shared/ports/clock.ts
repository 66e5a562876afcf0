// Time and chance, handed in so that tests can hold them still.

export interface Clock {
  /** Milliseconds since the epoch, for records. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go back, for leases and deadlines. */
  monotonic(): number;
}
