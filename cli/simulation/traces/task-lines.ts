// CloudAI's own layout of traces: a JSON object a line, a task or a machine. Read and written here. See docs/TRACES.md.

import type { TraceTask, TraceWorker } from '../../../scheduler/core/simulation/trace.ts';
import { SUBMIT_DEFAULTS } from '../../../shared/contracts/submit-defaults.ts';
import {
  LABEL_NAME_PATTERN,
  LABEL_VALUE_PATTERN,
  type LabelTerms,
  NO_DEMAND,
  NO_TERMS,
} from '../../../shared/model/labels.ts';
import { WORKER_ID_PATTERN } from '../../../shared/model/worker.ts';
import { plain } from '../../table.ts';
import { type LineReader, MOST_CORES, MOST_GPUS, MOST_MB, type TraceSink, YEAR_SECONDS } from './trace.ts';

type Fields = Readonly<Record<string, unknown>>;

const TASK_FIELDS = [
  ...['at', 'user', 'cpu', 'memory', 'gpu', 'storage', 'run', 'k', 'priority', 'tag', 'image'],
  ...['constraints', 'prefer', 'worker'],
];
const WORKER_FIELDS = ['id', 'cpu', 'memory', 'gpu', 'storage', 'labels', 'count'];
const MOST_TERMS = 32;
const LONGEST_TEXT = 512;

/** What is wrong, found somewhere down; caught where the line is taken. */
class LineFault extends Error {}

export class TaskLines implements LineReader {
  readonly #sink: TraceSink;

  constructor(sink: TraceSink) {
    this.#sink = sink;
  }

  take(line: string): string | null {
    if (line.trim() === '') return null;
    try {
      const fields = objectOf(line);
      const { worker } = fields;
      if (typeof worker !== 'object' || worker === null) {
        return this.#sink.addTask(taskOf(fields));
      }
      known(fields, ['worker']);
      const { count, ...one } = workerOf(worker as Fields);
      return this.#sink.addWorkers(one, count);
    } catch (error) {
      if (error instanceof LineFault) return error.message;
      throw error;
    }
  }

  remarks(): readonly string[] {
    return [];
  }
}

/** The same task as a line; what is as it would be without is left out. */
export function taskLine(task: TraceTask): string {
  const { need, labels } = task;
  const line = {
    at: task.atMs / 1_000,
    user: task.user,
    cpu: need.cpuMillis / 1_000,
    memory: need.memoryMb,
    ...(need.gpus > 0 ? { gpu: need.gpus } : {}),
    ...(need.storageMb > 0 ? { storage: need.storageMb } : {}),
    run: task.runMs / 1_000,
    k: task.kValue,
    priority: task.priority,
    ...(task.tag === '' ? {} : { tag: task.tag }),
    ...(task.image === '' ? {} : { image: task.image }),
    ...(labels.constraints === NO_TERMS ? {} : { constraints: labels.constraints }),
    ...(labels.prefer === NO_TERMS ? {} : { prefer: labels.prefer }),
    ...(task.worker === null ? {} : { worker: task.worker }),
  };
  return `${JSON.stringify(line)}\n`;
}

export function workerLine({ id, capacity, labels }: TraceWorker): string {
  const { cpuMillis, memoryMb, gpus, storageMb } = capacity;
  const worker = {
    id,
    cpu: cpuMillis / 1_000,
    memory: memoryMb,
    ...(gpus > 0 ? { gpu: gpus } : {}),
    ...(storageMb > 0 ? { storage: storageMb } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  };
  return `${JSON.stringify({ worker })}\n`;
}

function taskOf(fields: Fields): TraceTask {
  known(fields, TASK_FIELDS);
  const atMs = Math.round(amount(fields, 'at', { most: YEAR_SECONDS }) * 1_000);
  const runMs = Math.max(1, Math.round(amount(fields, 'run', { most: YEAR_SECONDS }) * 1_000));
  const constraints = terms(fields, 'constraints');
  const prefer = terms(fields, 'prefer');
  const { worker } = fields;
  if (worker !== undefined && (typeof worker !== 'string' || !WORKER_ID_PATTERN.test(worker))) {
    throw new LineFault('"worker" must be the id of a machine, or a machine');
  }
  return {
    atMs,
    user: text(fields, 'user', 'user'),
    need: {
      cpuMillis: millis(fields, SUBMIT_DEFAULTS.cpu_required),
      memoryMb: Math.ceil(
        amount(fields, 'memory', { most: MOST_MB, other: SUBMIT_DEFAULTS.memory_required }),
      ),
      gpus: amount(fields, 'gpu', { most: MOST_GPUS, other: 0, whole: true }),
      storageMb: Math.ceil(amount(fields, 'storage', { most: MOST_MB, other: 0 })),
    },
    runMs,
    kValue: amount(fields, 'k', { least: 1, most: 1_000, other: SUBMIT_DEFAULTS.k_value }),
    priority: amount(fields, 'priority', { most: 9, other: SUBMIT_DEFAULTS.priority, whole: true }),
    image: text(fields, 'image', ''),
    tag: text(fields, 'tag', ''),
    labels: constraints === NO_TERMS && prefer === NO_TERMS ? NO_DEMAND : { constraints, prefer },
    worker: worker ?? null,
  };
}

function workerOf(fields: Fields): TraceWorker & { count: number } {
  known(fields, WORKER_FIELDS);
  const id = text(fields, 'id', '');
  if (id !== '' && !WORKER_ID_PATTERN.test(id)) throw new LineFault('"id" must be letters, digits and . _ -');
  return {
    id,
    capacity: {
      cpuMillis: millis(fields),
      memoryMb: Math.floor(amount(fields, 'memory', { most: MOST_MB })),
      gpus: amount(fields, 'gpu', { most: MOST_GPUS, other: 0, whole: true }),
      storageMb: Math.floor(amount(fields, 'storage', { most: MOST_MB, other: 0 })),
    },
    labels: labelsOf(fields),
    count: amount(fields, 'count', { least: 1, most: 100_000, other: 1, whole: true }),
  };
}

function objectOf(line: string): Fields {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    throw new LineFault('it is not JSON');
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new LineFault('it is no JSON object');
  return read as Fields;
}

function known(fields: Fields, names: readonly string[]): void {
  const odd = Object.keys(fields).find((name) => !names.includes(name));
  if (odd !== undefined)
    throw new LineFault(`"${plain(odd).slice(0, 40)}" is no field of it; there are ${names.join(', ')}`);
}

interface Range {
  readonly least?: number;
  readonly most: number;
  /** Where nothing is said; without it the field must be there. */
  readonly other?: number;
  readonly whole?: boolean;
}

function amount(fields: Fields, name: string, { least = 0, most, other, whole }: Range): number {
  const value = fields[name] ?? other;
  if (value === undefined) throw new LineFault(`"${name}" is missing`);
  if (typeof value !== 'number') throw new LineFault(`"${name}" must be a number`);
  if (value < least || value > most) throw new LineFault(`"${name}" must be between ${least} and ${most}`);
  if (whole && !Number.isInteger(value)) throw new LineFault(`"${name}" must be a whole number`);
  return value;
}

function millis(fields: Fields, other?: number): number {
  return Math.round(
    amount(fields, 'cpu', { most: MOST_CORES, ...(other === undefined ? {} : { other }) }) * 1_000,
  );
}

function text(fields: Fields, name: string, other: string): string {
  const value = fields[name] ?? other;
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) {
    throw new LineFault(`"${name}" must be text of at most ${LONGEST_TEXT} characters`);
  }
  return value;
}

function entriesOf(fields: Fields, name: string): [string, unknown][] {
  const value = fields[name] ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineFault(`"${name}" must be an object of labels`);
  }
  const entries = Object.entries(value);
  if (entries.length > MOST_TERMS) throw new LineFault(`"${name}" has more than ${MOST_TERMS} labels`);
  const odd = entries.find(([label]) => !LABEL_NAME_PATTERN.test(label));
  if (odd) throw new LineFault(`"${name}" has a label with a name that no machine can have`);
  return entries;
}

function labelsOf(fields: Fields): TraceWorker['labels'] {
  const entries = entriesOf(fields, 'labels');
  if (!entries.every(([, value]) => isLabelValue(value)))
    throw new LineFault('"labels" must have texts as values');
  return Object.fromEntries(entries) as TraceWorker['labels'];
}

/** A text stands for a list of one. */
function terms(fields: Fields, name: 'constraints' | 'prefer'): LabelTerms {
  const entries = entriesOf(fields, name).map(
    ([label, value]) => [label, Array.isArray(value) ? value : [value]] as const,
  );
  if (entries.length === 0) return NO_TERMS;
  if (!entries.every(([, values]) => values.length > 0 && values.every(isLabelValue))) {
    throw new LineFault(`"${name}" must have a text or a list of texts for each label`);
  }
  return Object.fromEntries(entries) as LabelTerms;
}

function isLabelValue(value: unknown): boolean {
  return typeof value === 'string' && LABEL_VALUE_PATTERN.test(value);
}
