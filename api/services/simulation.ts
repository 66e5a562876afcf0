// Where tasks would go if they were submitted now, by the scheduler's own plan over what the store says now. Writes
// nothing and tells nothing of other people's tasks but how many there are. Knows nothing of HTTP.

import { setImmediate as othersTurn } from 'node:timers/promises';
import { Ledger } from '../../scheduler/core/ledger.ts';
import type { Holding, PlanMemory, WaitingTask, WorkerView } from '../../scheduler/core/snapshot.ts';
import { waitingTask } from '../../scheduler/core/waiting.ts';
import { countKinds, mostKinds, type WhatIf, type Wish, whatIf } from '../../scheduler/core/what-if.ts';
import type { TaskFateView, WhatIfView, WorkerFateView } from '../../shared/contracts/what-if.ts';
import type { ErrorDetail } from '../../shared/errors.ts';
import { NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import type { TaskSpec } from '../../shared/model/task.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import { answerWithin } from './deadline.ts';
import { refusal } from './faults.ts';
import type { Submissions } from './submission.ts';
import { Turns } from './turns.ts';

export interface SimulationParts {
  readonly store: Pick<Store, 'tasks' | 'workers'>;
  readonly submissions: Submissions;
  readonly clock: Clock;
}

export interface Question {
  readonly tasks: readonly { readonly spec: TaskSpec; readonly count: number }[];
  readonly addedWorkers: readonly { readonly capacity: Resources; readonly count: number }[];
  /** Ids of workers that are not there; what they run now is not moved. */
  readonly without: readonly string[];
  /** Ids of workers that take nothing new. */
  readonly cordon: readonly string[];
}

/** One at a time, so that questions cannot take the process from its other work. */
const TURNS = { most: 16, mostOfOne: 4 };
const STORE_DEADLINE_MS = 10_000;
/** Of the backlog; what goes first is read first. */
const BACKLOG_MOST = 20_000;
const BACKLOG_PAGE = 1_000;
const TOP_PRIORITY = 9;
/** Deadlines play no part in what is answered here. */
const DEFAULT_RUN = { medianMs: 300_000 };
/** After every id of a task. */
const AFTER_ALL = 'task~';

interface Scene {
  /** The cluster's own in order of id, then the added ones. */
  readonly cast: readonly (WorkerView & { readonly reserved: Resources; readonly added: boolean })[];
  readonly memory: PlanMemory;
  readonly backlog: readonly WaitingTask[];
  readonly behind: number;
}

export class Simulations {
  readonly #parts: SimulationParts;
  readonly #turns = new Turns(TURNS);

  constructor(parts: SimulationParts) {
    this.#parts = parts;
  }

  /** @throws AppError `invalid_request` naming every fault; `rate_limited`; `timed_out` */
  ask(by: Principal, question: Question): Promise<WhatIfView> {
    return this.#turns.take(by.userId, async () => {
      const wishes = question.tasks.map(({ spec, count }) => wishOf(by.userId, spec, count));
      const scene = await answerWithin(this.#scene(by, question, wishes), STORE_DEADLINE_MS, 'the store');
      const picture = { ...scene, workers: [...scene.cast].sort((a, b) => (a.id < b.id ? -1 : 1)) };
      const steps = whatIf(picture, wishes, this.#parts.clock.now(), 0);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await othersTurn();
      return viewOf(question, scene, step.value);
    });
  }

  async #scene(by: Principal, question: Question, wishes: readonly Wish[]): Promise<Scene> {
    const { store, submissions } = this.#parts;
    const [faults, workers] = await Promise.all([
      submissions.faultsOf(
        by,
        question.tasks.map(({ spec }) => spec),
      ),
      store.workers.list(),
    ]);
    const ledger = new Ledger();
    for (const worker of workers) ledger.setWorker(worker);
    faults.push(...unknownWorkers(question, new Set(workers.map(({ id }) => id))));
    const added = question.addedWorkers.reduce((sum, { count }) => sum + count, 0);
    faults.push(...tooVaried(wishes, workers.length + added));
    if (faults.length > 0) throw refusal(faults);

    const lowest = Math.min(...wishes.map(({ priority }) => priority));
    const [allocations, backlog, behind] = await Promise.all([
      store.tasks.allocations(),
      this.#backlog(lowest),
      store.tasks.countAhead({ priority: lowest, id: AFTER_ALL }),
    ]);
    for (const holding of allocations) ledger.hold(holding);
    const last = lastOf(allocations);
    const memory = { recent: last === null ? [] : [last], reservations: [] };
    return { cast: castOf(question, ledger), memory, backlog, behind };
  }

  /** What goes before a task of priority `lowest` that comes now, in the order of its turn. */
  async #backlog(lowest: number): Promise<WaitingTask[]> {
    const found: WaitingTask[] = [];
    for (let priority = TOP_PRIORITY; priority >= lowest; priority -= 1) {
      for (let after: string | undefined; found.length < BACKLOG_MOST; ) {
        const page = await this.#parts.store.tasks.queued({ priority, after, limit: BACKLOG_PAGE });
        found.push(...page.map((task) => waitingTask(task, DEFAULT_RUN)));
        if (page.length < BACKLOG_PAGE) break;
        after = page.at(-1)?.id;
        await othersTurn();
      }
    }
    return found;
  }
}

function wishOf(ownerId: string, spec: TaskSpec, count: number): Wish {
  return { ownerId, need: spec.resources, worker: spec.worker, labels: spec, priority: spec.priority, count };
}

function unknownWorkers(question: Question, known: ReadonlySet<string>): ErrorDetail[] {
  return (['without', 'cordon'] as const).flatMap((list) =>
    question[list].flatMap((id, place) => {
      const field = `${list}.${place}`;
      return known.has(id)
        ? []
        : [{ field, message: `"${field}" is no worker of this cluster: ${id}; GET /workers lists them` }];
    }),
  );
}

function tooVaried(wishes: readonly Wish[], workers: number): ErrorDetail[] {
  const [kinds, most] = [countKinds(wishes), mostKinds(workers)];
  if (kinds <= most) return [];
  const message = `"tasks" are of ${kinds} different sizes and priorities: at most ${most} at a time with ${workers} workers`;
  return [{ field: 'tasks', message }];
}

/** The worker that was given a task last: the rotation goes on behind it. */
function lastOf(holdings: readonly Holding[]): string | null {
  const last = holdings.reduce<Holding | null>(
    (newest, one) =>
      !newest ||
      one.assignedAt > newest.assignedAt ||
      (one.assignedAt === newest.assignedAt && one.taskId > newest.taskId)
        ? one
        : newest,
    null,
  );
  return last?.workerId ?? null;
}

function castOf({ addedWorkers, without, cordon }: Question, ledger: Ledger): Scene['cast'] {
  const gone = new Set(without);
  const closed = new Set(cordon);
  const own = ledger.views().flatMap((view) => {
    if (gone.has(view.id)) return [];
    const state = view.state === 'ready' && closed.has(view.id) ? 'cordoned' : view.state;
    return [{ ...view, state, reserved: ledger.held(view.id), added: false }];
  });
  const added: Scene['cast'][number][] = [];
  let number = 0;
  for (const { capacity, count } of addedWorkers) {
    for (let copy = 0; copy < count; copy += 1) {
      do number += 1;
      while (ledger.worker(`added-${number}`));
      const id = `added-${number}`;
      added.push({
        id,
        state: 'ready',
        capacity,
        free: capacity,
        labels: {},
        freeGpus: [],
        reserved: NO_RESOURCES,
        added: true,
      });
    }
  }
  return [...own, ...added];
}

function viewOf(question: Question, { cast, backlog, behind }: Scene, told: WhatIf): WhatIfView {
  const fates = new Map(told.workers.map((fate) => [fate.workerId, fate]));
  return {
    behind,
    more: told.isPartial || (backlog.length >= BACKLOG_MOST && behind > backlog.length),
    tasks: told.wishes.map(
      (fate, index): TaskFateView => ({ ...fate, count: question.tasks[index]?.count ?? 0 }),
    ),
    workers: cast.map((worker): WorkerFateView => {
      const fate = fates.get(worker.id);
      return {
        ...worker,
        taken: fate?.taken ?? null,
        placed: fate?.placed ?? 0,
        placedAhead: fate?.placedAhead ?? 0,
      };
    }),
  };
}
