// How far a task has come: told by the runner while it prepares and clears up, by the program itself while it runs.

const PROGRESS_PHASES = ['pulling', 'preparing', 'running', 'collecting'] as const;
export type ProgressPhase = (typeof PROGRESS_PHASES)[number];

/** What a program says of itself with a line such as `::progress 42 message`. */
export interface OwnProgress {
  /** 0 to 100. */
  readonly percent: number;
  readonly message: string;
  /** Milliseconds since the epoch, by the runner's clock. */
  readonly at: number;
}

export interface TaskProgress {
  readonly taskId: string;
  readonly attempt: number;
  readonly phase: ProgressPhase;
  /** 0 to 100; null when it cannot be told. */
  readonly percent: number | null;
  readonly message: string;
  /** Layers of the image, while pulling. */
  readonly layers: { readonly done: number; readonly total: number } | null;
  readonly bytes: { readonly done: number; readonly total: number } | null;
  readonly at: number;
}
