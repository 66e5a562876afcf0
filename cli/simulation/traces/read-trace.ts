// A trace of one or several files, of whichever layout: broken lines are named and left out, the rest is read. Holds the
// tasks, never the text.

import type { Resources } from '../../../shared/model/resources.ts';
import { CliError, EXIT } from '../../exit.ts';
import {
  AlibabaBatchTasks,
  AlibabaGpuList,
  AlibabaMachines,
  BATCH_TASK_COLUMNS,
  MACHINE_META_COLUMNS,
} from './alibaba.ts';
import {
  GoogleMachineEvents,
  GoogleTaskEvents,
  MACHINE_EVENT_COLUMNS,
  TASK_EVENT_COLUMNS,
} from './google.ts';
import { LONGEST_LINE, linesOf } from './lines.ts';
import { TaskLines } from './task-lines.ts';
import {
  FAULTS_NAMED,
  type LineReader,
  MOST_TASKS,
  type Trace,
  type TraceFault,
  type TraceFormat,
  TraceSink,
} from './trace.ts';

export interface TraceSource {
  readonly tasks: readonly string[];
  /** Files that tell of machines. */
  readonly machines: readonly string[];
  /** Undefined: by the first line. */
  readonly format: TraceFormat | undefined;
  /** The largest machine, where amounts are parts of it. */
  readonly scale: Resources;
  readonly signal: AbortSignal;
  /** Called now and then. */
  readonly onLines: (lines: number) => Promise<void>;
}

const TELL_EVERY = 20_000;
/** First lines that may be broken before a file is given up. */
const LOOKED_AT = 20;

/** @throws {CliError} when a file cannot be read at all, or holds another layout */
export async function readTrace(source: TraceSource): Promise<Trace> {
  const sink = new TraceSink();
  const faults: TraceFault[] = [];
  const remarks = new Set<string>();
  let [leftOut, lines] = [0, 0];
  // The events of one task may be spread over several files, so one reader goes on over all of them.
  const readers = new Map<string, LineReader>();
  const files = [
    ...source.machines.map((path) => ({ path, what: 'machines' as const })),
    ...source.tasks.map((path) => ({ path, what: 'tasks' as const })),
  ];
  for (const { path, what } of files) {
    let reader: LineReader | null = null;
    let line = 0;
    for await (const text of linesOf(path, source.signal)) {
      line += 1;
      lines += 1;
      if (lines % TELL_EVERY === 0) await source.onLines(lines);
      if (reader === null && text?.trim() === '') continue;
      reader ??= readerFor(text ?? '', { what, source, sink, readers });
      if (reader === null && line >= LOOKED_AT) throw unknownLayout(path, what, source.format);
      const fault =
        text === null
          ? `it is longer than ${LONGEST_LINE} characters`
          : reader === null
            ? 'it is of no layout that is known'
            : reader.take(text);
      if (sink.hasTooMany) throw tooMany(path, line);
      if (fault === null) continue;
      leftOut += 1;
      if (faults.length < FAULTS_NAMED) faults.push({ file: path, line, fault });
    }
    if (reader === null && line > 0) throw unknownLayout(path, what, source.format);
  }
  for (const reader of readers.values()) for (const remark of reader.remarks()) remarks.add(remark);
  return { tasks: inOrder(sink), workers: sink.workers, faults, leftOut, remarks: [...remarks] };
}

/** From 0 on: some traces begin in the middle of a year. */
function inOrder({ tasks }: TraceSink): Trace['tasks'] {
  tasks.sort((a, b) => a.atMs - b.atMs);
  const first = tasks[0]?.atMs ?? 0;
  return first === 0 ? tasks : tasks.map((task) => ({ ...task, atMs: task.atMs - first }));
}

interface Choice {
  readonly what: 'tasks' | 'machines';
  readonly source: TraceSource;
  readonly sink: TraceSink;
  readonly readers: Map<string, LineReader>;
}

/** By the first line that tells; null for one that does not. */
function readerFor(first: string, { what, source, sink, readers }: Choice): LineReader | null {
  const layout = layoutOf(first, what, source.format);
  if (layout === null) return null;
  const make: Readonly<Record<Layout, () => LineReader>> = {
    cloudai: () => new TaskLines(sink),
    task_events: () => new GoogleTaskEvents(sink, source.scale),
    machine_events: () => new GoogleMachineEvents(sink, source.scale),
    batch_task: () => new AlibabaBatchTasks(sink, source.scale),
    machine_meta: () => new AlibabaMachines(sink, source.scale),
    gpu_list: () => new AlibabaGpuList(sink, first),
  };
  const key = layout === 'gpu_list' ? `${layout} ${first}` : layout;
  const reader = readers.get(key) ?? make[layout]();
  readers.set(key, reader);
  return reader;
}

type Layout = 'cloudai' | 'task_events' | 'machine_events' | 'batch_task' | 'machine_meta' | 'gpu_list';

const FORMAT_OF: Readonly<Record<Layout, TraceFormat>> = {
  cloudai: 'cloudai',
  task_events: 'google',
  machine_events: 'google',
  batch_task: 'alibaba',
  machine_meta: 'alibaba',
  gpu_list: 'alibaba',
};
const BY_COLUMNS = {
  tasks: { [TASK_EVENT_COLUMNS]: 'task_events', [BATCH_TASK_COLUMNS]: 'batch_task' },
  machines: { [MACHINE_EVENT_COLUMNS]: 'machine_events', [MACHINE_META_COLUMNS]: 'machine_meta' },
} as const satisfies Record<string, Readonly<Record<number, Layout>>>;

/** Own lines begin with a brace, lists for GPUs have a heading, the others differ in the number of their columns. */
function layoutOf(first: string, what: 'tasks' | 'machines', format: TraceFormat | undefined): Layout | null {
  const columns: Readonly<Record<number, Layout>> = BY_COLUMNS[what];
  const found: Layout | undefined = AlibabaGpuList.isHeading(first)
    ? 'gpu_list'
    : first.trimStart().startsWith('{') || format === 'cloudai'
      ? 'cloudai'
      : columns[first.split(',').length];
  if (found === undefined) return null;
  return format === undefined || FORMAT_OF[found] === format ? found : null;
}

function unknownLayout(path: string, what: string, format: TraceFormat | undefined): CliError {
  const asked = format === undefined ? 'any layout that is known' : `the format ${format}`;
  return new CliError(
    EXIT.usage,
    `${path} does not begin with ${what} in ${asked}`,
    'See docs/TRACES.md for the layouts; --format names one.',
  );
}

function tooMany(path: string, line: number): CliError {
  return new CliError(
    EXIT.usage,
    `the trace has more than ${MOST_TASKS} tasks, at line ${line} of ${path}`,
    'Take a part of it.',
  );
}
