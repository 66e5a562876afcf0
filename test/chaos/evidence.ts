// What is gathered of a fault run, from the record, from Docker itself and from the volume that the containers share.

import type { TaskBody } from '../../shared/contracts/http.ts';
import type { Job } from './jobs.ts';

export interface LogLine {
  readonly seq: number;
  readonly line: string;
}

/** Of one job. */
export interface JobEvidence {
  readonly job: Job;
  /** Ids in the answers to its submission, repeats included; empty: it was never accepted. */
  readonly acceptedAs: ReadonlySet<string>;
  readonly record: TaskBody | null;
  /** Its record when it was first seen to have ended. */
  readonly firstEnd: Pick<TaskBody, 'status' | 'attempt' | 'finished_at' | 'exit_code'> | null;
  /** Of its last attempt, whole. */
  readonly log: readonly LogLine[];
  /** Content of the file it leaves; null: there is none. */
  readonly file: string | null;
  /** How often its token is in the file of effects. */
  readonly effects: number;
}

/** Containers of one host at one moment, as its engine tells. */
export interface HostSight {
  readonly host: string;
  /** Milliseconds since the begin of the run. */
  readonly atMs: number;
  readonly running: readonly { readonly taskId: string; readonly attempt: number }[];
}

export interface Evidence {
  readonly jobs: readonly JobEvidence[];
  /** Tasks in the store, by the token they were given as their name. */
  readonly tasksByName: ReadonlyMap<string, readonly string[]>;
  readonly capacity: { readonly cpu: number; readonly memory: number };
  readonly sights: readonly HostSight[];
  /** What is there after the end and should not be, in words. */
  readonly leftovers: readonly string[];
  /** After which not all was well again, in words. */
  readonly lastingFaults: readonly string[];
  /** Ends of processes that no fault of the run asked for, in words. */
  readonly crashes: readonly string[];
}
