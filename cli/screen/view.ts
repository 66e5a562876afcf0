// What the live picture of a cluster is made from. Plain data.

import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';

export interface ClusterView {
  readonly url: string;
  readonly telemetry: TelemetryReply;
  /** Null while news comes; else since when there is none, and why. */
  readonly silence: { readonly ms: number; readonly why: string } | null;
  /** Null when nobody is signed in. */
  readonly running: readonly RunningTask[] | null;
  /** There are more than these. */
  readonly more: boolean;
}

export interface RunningTask {
  readonly task: TaskBody;
  readonly progress: TaskProgressBody | null;
  readonly usage: TaskUsageEvent | null;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}
