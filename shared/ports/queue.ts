// Moving work: one intake queue for the cluster, one queue for each worker. The store is the truth; what these
// queues lose is put back by the reconciler, so every call may be repeated without harm.
// When the queue cannot be reached, calls throw AppError `queue_unavailable` (retryable) within seconds.

export interface IntakeEntry {
  readonly taskId: string;
  /** 0 to 9, 9 first. */
  readonly priority: number;
  /** `resourceShape` of the task, shown in the queue's views. */
  readonly shape: string;
}

export interface IntakeQueue {
  /** Adds what is not there yet. A repeat changes nothing. */
  add(entries: readonly IntakeEntry[]): Promise<void>;
  /** Removes what is there. */
  remove(taskIds: readonly string[]): Promise<void>;
  /** Calls back soon after tasks were added, by any process. May miss some: the reconciler finds them. */
  onAdded(handler: (taskIds: readonly string[]) => void): Promise<() => Promise<void>>;
  /** Ids of waiting entries from `offset`, most urgent first. */
  page(offset: number, limit: number): Promise<string[]>;
  size(): Promise<number>;
}

/** "Worker, run this attempt." */
export interface Delivery {
  readonly workerId: string;
  readonly taskId: string;
  readonly attempt: number;
}

export interface DeliveryQueue {
  /** A repeat of a delivery that still waits changes nothing. */
  deliver(deliveries: readonly Delivery[]): Promise<void>;
  /** Drops everything that waits for the worker, and the queue with it. */
  clear(workerId: string): Promise<void>;
  /** How many deliveries wait or are in work at the worker. */
  depth(workerId: string): Promise<number>;
}

export interface Inbox {
  /**
   * Hands each delivery for the worker to `handler`, at least once, as many at a time as arrive. What was in
   * work when an earlier life of the worker died comes again at once. The delivery is done when `handler`
   * resolves; it must not throw for a task's failure.
   */
  open(workerId: string, handler: (delivery: Delivery) => Promise<void>): Promise<InboxSession>;
}

export interface InboxSession {
  /** Stops taking deliveries. What is in work stays undone in the queue and comes again. */
  close(): Promise<void>;
}

/** A queue that people look at. */
export interface QueueView {
  /** As a board names it. */
  readonly name: string;
  /** What a board takes as a queue. Costs no connection, and no command until it is read. */
  readonly handle: unknown;
  /** Frees the handle, not the queue. */
  close(): Promise<void>;
}

/** Queues as they stand, for a board that shows them and changes nothing. */
export interface QueueViews {
  openIntake(): QueueView;
  openWorker(workerId: string): QueueView;
  /** Runs `read`, which reads opened queues, within seconds. */
  within<T>(read: () => Promise<T>): Promise<T>;
}
