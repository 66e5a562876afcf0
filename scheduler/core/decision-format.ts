// How decisions are written down: one JSON value on a line. Types and the smallest steps of writing and reading.
//
//   key    begins a segment: nothing said before holds. Format, rules of planning, term.
//   part   what has changed since the record before, as far as it did not fit on the line of its pass
//   pass   the rest of it; when, the seed, and what was decided
//   note   passes that were left out, and why; the next record begins with a key
//
// All lines of a segment carry its term and number, and all but notes count up from the key (`n`), so that a reader sees
// when one is missing. Ids, resources, labels and lines of tasks are written once in a segment and are numbers from
// then on, in the order in which they appeared. A time is told as its distance from `at`.

import type { Labels, LabelTerms } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import type { PlanRules } from '../../shared/model/scheduling.ts';
import type { JoinedWorkerState } from '../../shared/model/worker.ts';

/** Raised when a reader of the old one would misread the new one. */
export const DECISION_FORMAT = 1;

export type Amounts = readonly [cpuMillis: number, memoryMb: number, gpus: number, storageMb: number];
/** Number of an id or another text. */
export type NameNo = number;
/** Distance from `at`; in an array: the time itself; null: 0. */
export type Near = number | readonly [number] | null;

/** Absent fields are as before; of a new worker: ready, all free, no labels, no devices. */
export interface WorkerFields {
  readonly s?: JoinedWorkerState;
  /** Number of the capacity. */
  readonly c?: number;
  readonly f?: Amounts;
  /** Number of the labels. */
  readonly l?: number;
  readonly g?: readonly NameNo[];
}

export type EntryRow = readonly [
  id: string,
  queuedAt: Near,
  notBefore: Near,
  image: NameNo,
  expectedMs: number,
  deadline: Near,
  turn: Near,
];
export type HoldingRow = readonly [
  taskId: string,
  owner: NameNo,
  priority: number,
  attempt: number,
  isRunning: 0 | 1,
  shape: number,
  gpus: readonly NameNo[],
  assignedAt: Near,
  isLeaving: 0 | 1,
];
export type ReservationRow = readonly [
  worker: NameNo,
  key: NameNo,
  taskId: string,
  since: Near,
  until: Near,
  tried: readonly NameNo[],
];
export type LineRow = readonly [
  /** Null: as `groupKey` makes it. */
  key: NameNo | null,
  owner: NameNo,
  priority: number,
  shape: number,
  worker: NameNo | null,
  demand: number | null,
];

/** What a line tells, in the order in which it is to be worked in. Numbers in place of a row: that of the list before. */
export interface Sections {
  names?: string[];
  shapes?: Amounts[];
  labels?: Labels[];
  demands?: [constraints: LabelTerms, prefer: LabelTerms][];
  lines?: LineRow[];
  workers?: [worker: NameNo, fields: WorkerFields][];
  gone?: NameNo[];
  owners?: [
    owner: NameNo,
    held: Amounts | null,
    quota: [cpuMillis: number | null, memoryMb: number | null, gpus: number | null] | null,
  ][];
  images?: [image: NameNo, workers: NameNo[] | null][];
  holdings?: [worker: NameNo, holdings: (number | HoldingRow)[]][];
  /** Lines of tasks that have changed or are new, with as much of them as was looked at. */
  queue?: [line: number, servedAt: Near, entries: (number | EntryRow)[]][];
  /** Lines that are not there any more. */
  left?: number[];
}

export interface Segment {
  readonly term: number;
  readonly segment: number;
}
export interface KeyLine extends Segment {
  readonly kind: 'key';
  readonly format: number;
  readonly rules_version: number;
  readonly n: 0;
  readonly at: number;
}
export interface PartLine extends Segment, Sections {
  readonly kind: 'part';
  readonly n: number;
  readonly at: number;
}
export interface PassLine extends Segment, Sections {
  readonly kind: 'pass';
  readonly n: number;
  readonly at: number;
  /** Of all passes of the term, those included that decided nothing. */
  readonly pass: number;
  /** Order of the lines of tasks, where it is not that of before with the new ones at the end. */
  order?: number[];
  rules?: PlanRules;
  limit?: number;
  seed?: number;
  recent?: NameNo[];
  reservations?: ReservationRow[];
  /** Line of tasks and place within what was looked at of it; a task of no such line by its id. */
  placed: [line: number | string, place: number, worker: NameNo, gpus?: NameNo[]][];
  preempted?: [taskId: string, attempt: number, worker: NameNo, forTask: string][];
}
export interface NoteLine {
  readonly kind: 'note';
  readonly term: number;
  readonly at: number;
  /** How many were left out. */
  readonly passes: number;
  readonly why: string;
}
export type DecisionLine = KeyLine | PartLine | PassLine | NoteLine;

export function near(time: number, at: number): Near {
  if (time === 0) return null;
  const distance = time - at;
  return at + distance === time ? distance : [time];
}

export function timeOf(time: Near, at: number): number {
  if (time === null) return 0;
  return typeof time === 'number' ? at + time : time[0];
}

export function amountsOf({ cpuMillis, memoryMb, gpus, storageMb }: Resources): Amounts {
  return [cpuMillis, memoryMb, gpus, storageMb];
}

export function resourcesOf([cpuMillis, memoryMb, gpus, storageMb]: Amounts): Resources {
  return { cpuMillis, memoryMb, gpus, storageMb };
}
