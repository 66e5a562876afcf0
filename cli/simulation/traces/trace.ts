// What reading a trace gives, whatever its layout: tasks, machines, what was wrong with which line, and what the layout
// does not tell. Bounded: so many tasks, so many faults named.

import type { TraceTask, TraceWorker } from '../../../scheduler/core/simulation/trace.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import { resourceShape } from '../../../shared/model/resources.ts';

export const TRACE_FORMATS = ['cloudai', 'google', 'alibaba'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

export const YEAR_SECONDS = 366 * 86_400;
export const MOST_CORES = 100_000;
/** A hundred terabytes. */
export const MOST_MB = 100 * 1_048_576;
export const MOST_GPUS = 1_000;
/** About 400 MB of them. */
export const MOST_TASKS = 3_000_000;
export const MOST_WORKERS = 100_000;
export const FAULTS_NAMED = 20;

export interface TraceFault {
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  readonly fault: string;
}

export interface Trace {
  /** In order of `atMs`, the first at 0. */
  readonly tasks: readonly TraceTask[];
  /** Those that the trace tells of; may be none. */
  readonly workers: readonly TraceWorker[];
  /** The first FAULTS_NAMED. */
  readonly faults: readonly TraceFault[];
  /** Lines with a fault. */
  readonly leftOut: number;
  /** What was assumed, or is lost, in words. */
  readonly remarks: readonly string[];
}

/** Reads one layout, line by line. Says what is wrong with a line, or null. */
export interface LineReader {
  take(line: string): string | null;
  /** After the last line: what there is to say of all of them. */
  remarks(): readonly string[];
}

/** Where readers put what they find. */
export class TraceSink {
  readonly tasks: TraceTask[] = [];
  readonly workers: TraceWorker[] = [];
  /** Many tasks need the same; it is kept once. */
  readonly #needs = new Map<string, Resources>();

  get hasTooMany(): boolean {
    return this.tasks.length > MOST_TASKS;
  }

  /** Returns a fault, or null. */
  addTask(task: TraceTask): string | null {
    const fault = faultOf(task.need) ?? timeFaultOf(task);
    if (fault !== null) return fault;
    const key = resourceShape(task.need);
    const need = this.#needs.get(key) ?? task.need;
    this.#needs.set(key, need);
    this.tasks.push({ ...task, need });
    return null;
  }

  /** `id` is given a number when there are several. Returns a fault, or null. */
  addWorkers(worker: TraceWorker, count: number): string | null {
    const fault = faultOf(worker.capacity);
    if (fault !== null) return fault;
    if (this.workers.length + count > MOST_WORKERS) return `there are more than ${MOST_WORKERS} machines`;
    const known = this.workers.length;
    for (let at = 0; at < count; at += 1) {
      const id = worker.id === '' ? workerId(known + at) : count === 1 ? worker.id : `${worker.id}-${at + 1}`;
      this.workers.push({ ...worker, id });
    }
    return null;
  }
}

/** In the order of their numbers also as text. */
export function workerId(index: number): string {
  return `worker-${String(index + 1).padStart(5, '0')}`;
}

/** Some traces count from the beginning of an era. */
const LATEST_MS = 100 * YEAR_SECONDS * 1_000;

function timeFaultOf({ atMs, runMs }: TraceTask): string | null {
  if (!(atMs >= 0 && atMs <= LATEST_MS)) return 'it comes at no time that can be played';
  return runMs >= 0 && runMs <= YEAR_SECONDS * 1_000 ? null : 'it must run for a year at most';
}

function faultOf({ cpuMillis, memoryMb, gpus, storageMb }: Resources): string | null {
  const ranges = [
    ['its cores', cpuMillis / 1_000, MOST_CORES],
    ['its MB of memory', memoryMb, MOST_MB],
    ['its GPUs', gpus, MOST_GPUS],
    ['its MB of disk', storageMb, MOST_MB],
  ] as const;
  const odd = ranges.find(([, amount, most]) => !(amount >= 0 && amount <= most));
  if (odd) return `${odd[0]} must be between 0 and ${odd[2]}`;
  return Number.isInteger(gpus) ? null : 'its GPUs must be a whole number';
}
