// Who holds which part of a worker, as segments of a bar. Pure.

import { megabytes, trim } from '../../../client/words.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { PlacedTask } from '../../data/placed-tasks.ts';
import type { Tone } from '../../elements/time-plot-data.ts';

export const MEASURES = ['cpu', 'memory'] as const;
export type Measure = (typeof MEASURES)[number];
export const MEASURE_WORDS: Readonly<Record<Measure, string>> = { cpu: 'Cores', memory: 'Memory' };

export interface Segment {
  readonly kind: 'task' | 'more' | 'others' | 'free';
  /** Stays the same for the same task. */
  readonly key: string;
  readonly label: string;
  readonly amount: number;
  readonly href: string | null;
  /** Of a task: a colour that it keeps. */
  readonly tone: Tone | null;
  /** Placed, but its container does not run yet. */
  readonly isStarting: boolean;
}

export function amountWords(of: Measure, amount: number): string {
  if (of === 'memory') return megabytes(amount);
  return `${trim(amount, 2)} ${amount === 1 ? 'core' : 'cores'}`;
}

/** `0.5 of 2 cores held`. */
export function heldWords(of: Measure, held: number, total: number): string {
  return `${of === 'cpu' ? trim(held, 2) : megabytes(held)} of ${amountWords(of, total)} held`;
}

function taskAmount(task: PlacedTask, of: Measure): number {
  return of === 'cpu' ? task.cpu_required : task.memory_required;
}

/** Less than this is the dust of floating point. */
const DUST = 0.000_5;

/**
 * In the order of `tasks`, then what others hold, then what is free. Of more than `most` tasks the smallest are taken
 * together, so that each segment stays large enough to be hit.
 */
export function segmentsOf(
  worker: Pick<WorkerBody, 'worker_id' | 'capacity' | 'reserved' | 'tasks'>,
  tasks: readonly PlacedTask[],
  of: Measure,
  most: number,
): Segment[] {
  const amount = (task: PlacedTask) => taskAmount(task, of);
  const shown =
    tasks.length <= most
      ? tasks
      : pick(tasks, new Set([...tasks].sort((a, b) => amount(b) - amount(a)).slice(0, most - 1)));
  const listed = sum(tasks, amount);
  const segments: Segment[] = shown.map((task) => ({
    kind: 'task',
    key: task.task_id,
    label: task.name || task.task_id,
    amount: amount(task),
    href: `/tasks/${task.task_id}`,
    tone: toneOf(task.task_id),
    isStarting: task.status === 'assigned',
  }));
  const plain = { tone: null, isStarting: false };
  if (shown.length < tasks.length) {
    const label = `${tasks.length - shown.length} more tasks`;
    const rest = listed - sum(shown, amount);
    segments.push({
      ...plain,
      kind: 'more',
      key: 'more',
      label,
      amount: rest,
      href: `/cluster/${worker.worker_id}`,
    });
  }
  const others = worker.reserved[of] - listed;
  if (others > DUST) {
    const number = worker.tasks.assigned + worker.tasks.running - tasks.length;
    const label = number > 0 ? `${number} ${number === 1 ? 'task' : 'tasks'} of others` : 'others';
    segments.push({ ...plain, kind: 'others', key: 'others', label, amount: others, href: null });
  }
  const free = worker.capacity[of] - Math.max(worker.reserved[of], listed);
  if (free > DUST)
    segments.push({ ...plain, kind: 'free', key: 'free', label: 'free', amount: free, href: null });
  return segments;
}

/** Of a task, by its id alone: it stays while others come and go. */
export function toneOf(taskId: string): Tone {
  let hash = 0;
  for (const char of taskId) hash = (hash * 31 + char.charCodeAt(0)) % 65_521;
  return ((hash % 6) + 1) as Tone;
}

function pick(tasks: readonly PlacedTask[], chosen: ReadonlySet<PlacedTask>): PlacedTask[] {
  return tasks.filter((task) => chosen.has(task));
}

function sum(tasks: readonly PlacedTask[], amount: (task: PlacedTask) => number): number {
  return tasks.reduce((total, task) => total + amount(task), 0);
}
