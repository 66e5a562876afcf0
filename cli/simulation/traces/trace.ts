// What reading a trace gives, whatever its layout: tasks, machines, what was wrong with which line, and what the layout
// does not tell. Bounded: so many tasks, so many faults named.

import type { TraceTask, TraceWorker } from '../../../scheduler/core/simulation/trace.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import { resourceShape } from '../../../shared/model/resources.ts';

export const TRACE_FORMATS = ['cloudai', 'google', 'alibaba'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

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

  get isFull(): boolean {
    return this.tasks.length >= MOST_TASKS;
  }

  addTask(task: TraceTask): void {
    const key = resourceShape(task.need);
    const need = this.#needs.get(key) ?? task.need;
    this.#needs.set(key, need);
    this.tasks.push({ ...task, need });
  }

  /** `id` is given a number when there are several. Returns a fault, or null. */
  addWorkers(worker: TraceWorker, count: number): string | null {
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
