// A container of an attempt as the engine told of it last. Pure.

export interface SeenContainer {
  readonly id: string;
  readonly state: 'created' | 'running' | 'exited';
  /** By the engine's clock, milliseconds since the epoch; null before the start. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly exitCode: number | null;
  /** The kernel killed a process of the container for memory. */
  readonly oomKilled: boolean;
  /**
   * Who ended it when it did not end by itself and nobody asked for it: its machine, which went down, or the engine, which
   * was restarted. Its exit code says nothing of the program then. Absent and null: neither, as far as is known.
   */
  readonly cutBy?: 'machine' | 'engine' | null;
  /**
   * It ended before the engine was restarted, with nobody looking: the engine may have been dead by then, and with it what
   * the program printed last. Its exit code is its own. Absent: no.
   */
  readonly outputInDoubt?: boolean;
}
