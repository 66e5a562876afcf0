// Which workers are shown, and in which order, as the address says. Pure.

import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { WorkerState } from '../../../shared/model/worker.ts';
import { MEASURES, type Measure } from './allocation.ts';

/** The most urgent first. */
export const WORKER_STATES: readonly WorkerState[] = [
  'down',
  'unreachable',
  'unhealthy',
  'draining',
  'cordoned',
  'ready',
];

export const SORTS = {
  name: 'Name',
  state: 'State, troubled first',
  full: 'Fullest first',
  free: 'Most free first',
  tasks: 'Most tasks first',
} as const;
export type Sort = keyof typeof SORTS;

export const PAGE = 50;

export interface WorkersQuery {
  readonly q: string;
  readonly state: WorkerState | null;
  readonly sort: Sort;
  readonly of: Measure;
  /** From 1. */
  readonly page: number;
  /** The form for one more machine is open. */
  readonly register: boolean;
}

export function workersQuery(query: URLSearchParams): WorkersQuery {
  const page = Number(query.get('page') ?? 1);
  return {
    q: query.get('q') ?? '',
    state: WORKER_STATES.find((state) => state === query.get('state')) ?? null,
    sort: (Object.keys(SORTS) as Sort[]).find((sort) => sort === query.get('sort')) ?? 'name',
    of: MEASURES.find((measure) => measure === query.get('of')) ?? 'cpu',
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
    register: query.has('register'),
  };
}

export interface WorkersView {
  /** Of all that fit, those of the page. */
  readonly shown: readonly WorkerBody[];
  readonly fitting: number;
  readonly pages: number;
  /** As asked for, but never beyond the last. */
  readonly page: number;
}

export function workersView(workers: readonly WorkerBody[], query: WorkersQuery): WorkersView {
  const words = query.q.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = workers
    .filter((worker) => query.state === null || worker.state === query.state)
    .filter((worker) => words.length === 0 || fits(worker, words))
    .sort((a, b) => order(a, b, query) || byName(a, b));
  const pages = Math.max(1, Math.ceil(fitting.length / PAGE));
  const page = Math.min(query.page, pages);
  return { shown: fitting.slice((page - 1) * PAGE, page * PAGE), fitting: fitting.length, pages, page };
}

function fits({ worker_id, address, labels, fingerprint }: WorkerBody, words: readonly string[]): boolean {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const gpus = fingerprint?.gpu_models ?? [];
  const text = [worker_id, address, ...pairs, ...gpus, fingerprint?.cpu_model ?? ''].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

function order(a: WorkerBody, b: WorkerBody, { sort, of }: WorkersQuery): number {
  switch (sort) {
    case 'name':
      return 0;
    case 'state':
      return WORKER_STATES.indexOf(a.state) - WORKER_STATES.indexOf(b.state);
    case 'full':
      return share(b, of) - share(a, of);
    case 'free':
      return b.free[of] - a.free[of];
    case 'tasks':
      return b.tasks.assigned + b.tasks.running - a.tasks.assigned - a.tasks.running;
  }
}

function share({ reserved, capacity }: WorkerBody, of: Measure): number {
  return capacity[of] === 0 ? -1 : reserved[of] / capacity[of];
}

/** `worker-2` before `worker-10`. */
const collator = new Intl.Collator('en', { numeric: true });
function byName(a: WorkerBody, b: WorkerBody): number {
  return collator.compare(a.worker_id, b.worker_id);
}
