// `POST /api/whatif` on the wire: what is asked, what is answered, and the way between wire and model.
// No validation here (see what-if-schema.ts), so that a browser can import this file.

import { addResources, NO_RESOURCES, type Resources, subtractResources } from '../model/resources.ts';
import type { WorkerState } from '../model/worker.ts';
import type { SubmitBody, SubmitRequest } from './http.ts';
import type { MountRuleBody } from './mounts.ts';
import { type AmountsBody, amountsBody } from './workers.ts';

export interface AddedWorkerBody {
  cpu: number;
  memory: number;
  gpu: number;
  storage: number;
  /** As a worker names its own. */
  labels: Record<string, string>;
  /** Folders that it would let tasks mount. */
  mounts: MountRuleBody[];
  /** Machines of this size. */
  count: number;
}

/** What is taken after defaults are filled in. */
export interface WhatIfBody {
  /** As in `POST /api/tasks`, or the id of a task that is there; each as often as `count` says. */
  tasks: ((SubmitBody & { count: number }) | KnownTaskBody)[];
  add_workers: AddedWorkerBody[];
  /** Workers to leave out. */
  without: string[];
  /** Workers that take nothing new. */
  cordon: string[];
}

/** More of a task that has been submitted, in whatever state it is. */
export interface KnownTaskBody {
  task_id: string;
  count: number;
}

export interface WhatIfRequest {
  tasks: readonly (
    | (SubmitRequest & { readonly count?: number })
    | (Pick<KnownTaskBody, 'task_id'> & { readonly count?: number })
  )[];
  add_workers?: readonly (Pick<AddedWorkerBody, 'cpu' | 'memory'> & Partial<AddedWorkerBody>)[];
  without?: readonly string[];
  cordon?: readonly string[];
}

export interface WhatIfTaskBody {
  /** Place in the question, from 0. */
  index: number;
  count: number;
  placed: number;
  /** Those that would have to wait; 0 when they would do so for ever. */
  waiting: number;
  verdict: 'now' | 'waits' | 'never';
  /** Why the rest is not placed, as a code; null when there is no rest. */
  reason: string | null;
  /** One to three sentences for a person. */
  summary: string;
  workers: { worker_id: string; count: number }[];
}

export interface WhatIfWorkerBody {
  worker_id: string;
  /** True for those that `add_workers` asked for. */
  added: boolean;
  state: WorkerState;
  capacity: AmountsBody;
  /** As it is. */
  before: { reserved: AmountsBody; free: AmountsBody };
  /** With what would be placed there: of these tasks and of those before them. */
  after: { reserved: AmountsBody; free: AmountsBody };
  /** How many of these tasks it would get. */
  placed: number;
  /** How many it would get of those that wait already. */
  placed_ahead: number;
}

export interface WhatIfReply {
  placed: number;
  waiting: number;
  never: number;
  /** Tasks that wait already and go before the last of these. */
  behind: number;
  /** True when there are more of them than were looked at, so that the answer may be too good. */
  more: boolean;
  tasks: WhatIfTaskBody[];
  /** The cluster's own in order of id, then the added ones. */
  workers: WhatIfWorkerBody[];
}

export function addedCapacity({ cpu, memory, gpu, storage }: AddedWorkerBody): Resources {
  return {
    cpuMillis: Math.round(cpu * 1_000),
    memoryMb: Math.floor(memory),
    gpus: gpu,
    storageMb: Math.floor(storage),
  };
}

export interface TaskFateView {
  readonly count: number;
  readonly placed: number;
  readonly verdict: 'now' | 'waits' | 'never';
  readonly reason: string | null;
  readonly summary: string;
  readonly workers: readonly { readonly workerId: string; readonly count: number }[];
}

export interface WorkerFateView {
  readonly id: string;
  readonly added: boolean;
  readonly state: WorkerState;
  readonly capacity: Resources;
  /** Held now. */
  readonly reserved: Resources;
  /** What it would be given. */
  readonly taken: Resources | null;
  readonly placed: number;
  readonly placedAhead: number;
}

export interface WhatIfView {
  readonly tasks: readonly TaskFateView[];
  readonly workers: readonly WorkerFateView[];
  readonly behind: number;
  readonly more: boolean;
}

export function whatIfReply({ tasks, workers, behind, more }: WhatIfView): WhatIfReply {
  const bodies = tasks.map((task, index) => taskFateBody(task, index));
  const sum = (of: (body: WhatIfTaskBody) => number) => bodies.reduce((total, body) => total + of(body), 0);
  return {
    placed: sum(({ placed }) => placed),
    waiting: sum(({ waiting }) => waiting),
    never: sum(({ verdict, count }) => (verdict === 'never' ? count : 0)),
    behind,
    more,
    tasks: bodies,
    workers: workers.map(workerFateBody),
  };
}

function taskFateBody(task: TaskFateView, index: number): WhatIfTaskBody {
  const { count, placed, verdict, reason, summary, workers } = task;
  return {
    index,
    count,
    placed,
    waiting: verdict === 'never' ? 0 : count - placed,
    verdict,
    reason,
    summary,
    workers: workers.map(({ workerId, count: there }) => ({ worker_id: workerId, count: there })),
  };
}

function workerFateBody(worker: WorkerFateView): WhatIfWorkerBody {
  const { capacity, reserved, taken } = worker;
  const held = (amount: Resources) => ({
    reserved: amountsBody(amount),
    free: amountsBody(subtractResources(capacity, amount)),
  });
  return {
    worker_id: worker.id,
    added: worker.added,
    state: worker.state,
    capacity: amountsBody(capacity),
    before: held(reserved),
    after: held(addResources(reserved, taken ?? NO_RESOURCES)),
    placed: worker.placed,
    placed_ahead: worker.placedAhead,
  };
}
