// The tables `task_events` and `machine_events` of Google's cluster-usage traces of 2011 (format and schema v2.1: C. Reiss,
// J. Wilkes, J. Hellerstein, 2011). Amounts are parts of the largest machine of each kind, so its size must be assumed.
//
// A task is submitted (0), scheduled (1), perhaps evicted (2) or lost (6) and scheduled again, and ends by failing (3), being
// killed (4) or finishing (5); 7 and 8 change what it asks for. It becomes a task of the trace when it ends: at its
// submission, running from the last time it was scheduled to its end.

import { NO_DEMAND } from '../../../shared/model/labels.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import { countText, numberIn, readRow, type Table, textIn } from './columns.ts';
import { type LineReader, MOST_TASKS, type TraceSink } from './trace.ts';

const TASK = {
  time: 0,
  job: 2,
  task: 3,
  event: 5,
  user: 6,
  priority: 8,
  cpu: 9,
  memory: 10,
  disk: 11,
  apart: 12,
};
const MACHINE = { time: 0, machine: 1, event: 2, platform: 3, cpu: 4, memory: 5 };
export const TASK_EVENT_COLUMNS = 13;
export const MACHINE_EVENT_COLUMNS = 6;
const TASK_EVENTS: Table = {
  name: 'task_events',
  columns: TASK_EVENT_COLUMNS,
  numbers: { time: TASK.time, 'job ID': TASK.job, 'task index': TASK.task, 'event type': TASK.event },
};
const MACHINE_EVENTS: Table = {
  name: 'machine_events',
  columns: MACHINE_EVENT_COLUMNS,
  numbers: { time: MACHINE.time, 'event type': MACHINE.event },
};
const EVENTS = [
  'submit',
  'schedule',
  'evict',
  'fail',
  'kill',
  'finish',
  'lost',
  'update pending',
  'update running',
];
const US_PER_MS = 1_000;
const AFTER_ALL_US = 2 ** 63;

interface Open {
  submittedMs: number;
  startedMs: number | null;
  user: string;
  priority: number;
  need: Resources;
}

export class GoogleTaskEvents implements LineReader {
  readonly #sink: TraceSink;
  readonly #scale: Resources;
  readonly #open = new Map<string, Open>();
  #apart = 0;
  #unscheduled = 0;

  /** @param scale the size of the largest machine */
  constructor(sink: TraceSink, scale: Resources) {
    this.#sink = sink;
    this.#scale = scale;
  }

  take(line: string): string | null {
    if (line.trim() === '') return null;
    const columns = readRow(line, TASK_EVENTS);
    if (typeof columns === 'string') return columns;
    const { time, event } = TASK;
    const type = numberIn(columns, event) as number;
    if (EVENTS[type] === undefined) return `"event type" must be between 0 and ${EVENTS.length - 1}`;
    if (this.#open.size >= MOST_TASKS) return 'more tasks are under way than are kept';
    const atUs = numberIn(columns, time) as number;
    // It came after the time of the trace, nobody knows when.
    if (atUs >= AFTER_ALL_US) return null;
    return this.#happen(columns, type, atUs / US_PER_MS);
  }

  remarks(): readonly string[] {
    const { cpuMillis, memoryMb, storageMb } = this.#scale;
    const unended = this.#open.size;
    return [
      `Requests are parts of the largest machine, taken to have ${cpuMillis / 1_000} cores, ${Math.round(memoryMb / 1_024)} GB of memory and ${Math.round(storageMb / 1_024)} GB of disk (--worker-size says otherwise).`,
      'Priorities above 9 count as 9.',
      ...(unended > 0
        ? [
            `${countText(unended, 'task')} had not ended in the trace and ${unended === 1 ? 'is' : 'are'} left out.`,
          ]
        : []),
      ...(this.#unscheduled > 0
        ? [
            `${countText(this.#unscheduled, 'task')} ended without having run and ${this.#unscheduled === 1 ? 'is' : 'are'} left out.`,
          ]
        : []),
      ...(this.#apart > 0
        ? [`${countText(this.#apart, 'task')} had to be on machines of their own, which is not kept.`]
        : []),
    ];
  }

  #happen(columns: readonly string[], type: number, atMs: number): string | null {
    const key = `${textIn(columns, TASK.job)} ${textIn(columns, TASK.task)}`;
    const known = this.#open.get(key);
    const task = known ?? this.#begin(columns, atMs);
    if (type === 0) {
      // After an eviction it is submitted again, and is still the same task.
      if (!known) this.#open.set(key, task);
    } else if (type === 1) {
      task.startedMs = atMs;
      this.#open.set(key, task);
    } else if (type === 2 || type === 6) {
      task.startedMs = null;
    } else if (type === 7 || type === 8) {
      task.need = this.#needOf(columns, task.need);
    } else if (known) {
      this.#open.delete(key);
      return this.#end(task, atMs);
    }
    return null;
  }

  #begin(columns: readonly string[], atMs: number): Open {
    if (textIn(columns, TASK.apart) === '1') this.#apart += 1;
    return {
      submittedMs: atMs,
      startedMs: null,
      user: textIn(columns, TASK.user) || 'unknown',
      priority: Math.min(9, Math.max(0, numberIn(columns, TASK.priority) ?? 0)),
      need: this.#needOf(columns, { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 }),
    };
  }

  #needOf(columns: readonly string[], before: Resources): Resources {
    const part = (at: number, all: number, other: number) => {
      const value = numberIn(columns, at);
      return value === null ? other : Math.ceil(Math.max(0, value) * all);
    };
    return {
      cpuMillis: part(TASK.cpu, this.#scale.cpuMillis, before.cpuMillis),
      memoryMb: part(TASK.memory, this.#scale.memoryMb, before.memoryMb),
      gpus: 0,
      storageMb: part(TASK.disk, this.#scale.storageMb, before.storageMb),
    };
  }

  #end({ submittedMs, startedMs, user, priority, need }: Open, atMs: number): string | null {
    if (startedMs === null) {
      this.#unscheduled += 1;
      return null;
    }
    return this.#sink.addTask({
      atMs: Math.round(submittedMs),
      user,
      need,
      runMs: Math.max(1, Math.round(atMs - startedMs)),
      kValue: 3,
      priority,
      image: '',
      // Of the job's tasks nothing but its name is alike to what else its owner runs.
      tag: '',
      labels: NO_DEMAND,
      worker: null,
    });
  }
}

/** Machines as they are at the beginning; those that come, go or change later stay as they were first seen. */
export class GoogleMachineEvents implements LineReader {
  readonly #sink: TraceSink;
  readonly #scale: Resources;
  readonly #seen = new Set<string>();
  #later = 0;

  constructor(sink: TraceSink, scale: Resources) {
    this.#sink = sink;
    this.#scale = scale;
  }

  take(line: string): string | null {
    if (line.trim() === '') return null;
    const columns = readRow(line, MACHINE_EVENTS);
    if (typeof columns === 'string') return columns;
    const { time, event } = MACHINE;
    const id = textIn(columns, MACHINE.machine);
    const [cpu, memory] = [numberIn(columns, MACHINE.cpu), numberIn(columns, MACHINE.memory)];
    if (numberIn(columns, event) !== 0 || (numberIn(columns, time) as number) > 0 || this.#seen.has(id)) {
      this.#later += 1;
      return null;
    }
    if (cpu === null || memory === null) return '"CPUs" or "Memory" is not given';
    this.#seen.add(id);
    const capacity = {
      cpuMillis: Math.floor(cpu * this.#scale.cpuMillis),
      memoryMb: Math.floor(memory * this.#scale.memoryMb),
      gpus: 0,
      storageMb: this.#scale.storageMb,
    };
    return this.#sink.addWorkers(
      { id: `machine-${id}`, capacity, labels: { platform: labelOf(textIn(columns, MACHINE.platform)) } },
      1,
    );
  }

  remarks(): readonly string[] {
    return this.#later === 0
      ? []
      : [`${countText(this.#later, 'change')} of machines after the beginning left out.`];
  }
}

/** The name of a platform is a long hash with signs that a label does not have. */
function labelOf(platform: string): string {
  return platform.replaceAll(/[^A-Za-z0-9._-]/g, '').slice(0, 16);
}
