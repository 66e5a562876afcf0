// Where tasks would go if they were submitted now, by the scheduler's own plan over what the store says now. Writes
// nothing and tells nothing of other people's tasks but how many there are. Knows nothing of HTTP.

import { setImmediate as othersTurn } from 'node:timers/promises';
import { Ledger } from '../../scheduler/core/ledger.ts';
import type { WaitingTask, WorkerView } from '../../scheduler/core/snapshot.ts';
import { waitingTask } from '../../scheduler/core/waiting.ts';
import {
  countKinds,
  mostKinds,
  type Picture,
  type WhatIf,
  type Wish,
  whatIf,
} from '../../scheduler/core/what-if.ts';
import type { TaskFateView, WhatIfView, WorkerFateView } from '../../shared/contracts/what-if.ts';
import type { ErrorDetail } from '../../shared/errors.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import { familiarImage } from '../../shared/model/image.ts';
import type { Labels } from '../../shared/model/labels.ts';
import { demandOf } from '../../shared/model/mounts.ts';
import { NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import { type Principal, seesAllTasks } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import { answerWithin } from './deadline.ts';
import { refusal } from './faults.ts';
import { type ClusterFacts, type Facts, sceneFrom } from './queue/cluster-facts.ts';
import type { Submissions } from './submission.ts';
import { Turns } from './turns.ts';

export interface SimulationParts {
  readonly store: Pick<Store, 'tasks'>;
  readonly facts: ClusterFacts;
  readonly learner: Pick<RunLearner, 'runTimeOf'>;
  readonly submissions: Submissions;
  readonly clock: Clock;
}

/** Tasks that are all alike: as they would be submitted, or as one that has been. */
export type Asked = { readonly count: number } & ({ readonly spec: TaskSpec } | { readonly taskId: string });

export interface Question {
  readonly tasks: readonly Asked[];
  readonly addedWorkers: readonly {
    readonly capacity: Resources;
    readonly labels: Labels;
    readonly count: number;
  }[];
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
/** After every id of a task. */
const AFTER_ALL = 'task~';

interface Setting {
  readonly wishes: readonly Wish[];
  /** The cluster's own in order of id, then the added ones. */
  readonly cast: readonly (WorkerView & { readonly reserved: Resources; readonly added: boolean })[];
  readonly picture: Picture;
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
      const setting = await answerWithin(this.#setting(by, question), STORE_DEADLINE_MS, 'the store');
      const { picture, wishes } = setting;
      const steps = whatIf(picture, wishes, this.#parts.clock.now(), 0, by.userId);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await othersTurn();
      return viewOf(question, setting, step.value);
    });
  }

  async #setting(by: Principal, question: Question): Promise<Setting> {
    const { store, facts, clock } = this.#parts;
    const [{ wishes, faults }, known] = await Promise.all([this.#wishes(by, question), facts.read()]);
    const { workers, allocations, rules, memory } = known;
    faults.push(...unknownWorkers(question, new Set(workers.map(({ id }) => id))));
    const added = question.addedWorkers.reduce((sum, { count }) => sum + count, 0);
    faults.push(...tooVaried(wishes, workers.length + added));
    if (faults.length > 0) throw refusal(faults);

    const lowest = Math.min(...wishes.map(({ priority }) => priority));
    const [backlog, behind] = await Promise.all([
      this.#backlog(lowest),
      store.tasks.countAhead({ priority: lowest, id: AFTER_ALL }),
    ]);
    const ledger = ledgerOf(known);
    for (const holding of allocations) ledger.hold(holding);
    const cast = castOf(question, ledger);
    const { owners, leaving } = sceneFrom(known, clock.now());
    const ordered = [...cast].sort((a, b) => (a.id < b.id ? -1 : 1));
    const holdingsOf = (workerId: string) => ledger.holdingsOf(workerId);
    const picture = { workers: ordered, owners, leaving, holdingsOf, rules, memory, backlog };
    return { wishes, cast, picture, behind };
  }

  async #wishes(
    by: Principal,
    { tasks }: Question,
  ): Promise<{ readonly wishes: readonly Wish[]; readonly faults: ErrorDetail[] }> {
    const named = await this.#named(tasks);
    const faults: ErrorDetail[] = [];
    const fresh: { readonly spec: TaskSpec; readonly index: number }[] = [];
    const wishes = tasks.flatMap((asked, index): Wish[] => {
      if ('spec' in asked) {
        fresh.push({ spec: asked.spec, index });
        return [this.#wishOf(by.userId, asked.spec, asked.count)];
      }
      const task = named.get(asked.taskId);
      if (task && (seesAllTasks(by) || task.ownerId === by.userId)) {
        return [this.#wishOf(task.ownerId, task.spec, asked.count)];
      }
      const field = `tasks.${index}.task_id`;
      faults.push({ field, message: `"${field}" is no task of yours: ${asked.taskId}` });
      return [];
    });
    const specs = fresh.map(({ spec }) => spec);
    const refused = await this.#parts.submissions.faultsOf(by, specs);
    return { wishes, faults: [...faults, ...refused.map((fault) => renumbered(fault, fresh))] };
  }

  async #named(tasks: readonly Asked[]): Promise<ReadonlyMap<string, Task>> {
    const ids = [...new Set(tasks.flatMap((asked) => ('taskId' in asked ? [asked.taskId] : [])))];
    const found = ids.length === 0 ? [] : await this.#parts.store.tasks.getMany(ids);
    return new Map(found.map((task) => [task.id, task]));
  }

  #wishOf(ownerId: string, spec: TaskSpec, count: number): Wish {
    const { resources: need, worker, priority, image, kValue } = spec;
    const { constraints, prefer } = demandOf(spec);
    const labels = { constraints, prefer };
    const { medianMs: expectedMs } = this.#parts.learner.runTimeOf(spec);
    const slaMs = Math.round(kValue * expectedMs);
    return {
      ownerId,
      need,
      worker,
      labels,
      priority,
      image: familiarImage(image),
      expectedMs,
      slaMs,
      count,
    };
  }

  /** What goes before a task of priority `lowest` that comes now, in the order of its turn. */
  async #backlog(lowest: number): Promise<WaitingTask[]> {
    const found: WaitingTask[] = [];
    for (let priority = TOP_PRIORITY; priority >= lowest; priority -= 1) {
      for (let after: string | undefined; found.length < BACKLOG_MOST; ) {
        const page = await this.#parts.store.tasks.queued({ priority, after, limit: BACKLOG_PAGE });
        found.push(...page.map((task) => waitingTask(task, this.#parts.learner.runTimeOf(task))));
        if (page.length < BACKLOG_PAGE) break;
        after = page.at(-1)?.id;
        await othersTurn();
      }
    }
    return found;
  }
}

function ledgerOf({ workers }: Facts): Ledger {
  const ledger = new Ledger();
  for (const worker of workers) ledger.setWorker(worker);
  return ledger;
}

/** Of those that were looked at the places in the question. */
function renumbered(fault: ErrorDetail, fresh: readonly { readonly index: number }[]): ErrorDetail {
  const place = Number(/^tasks\.(\d+)\./.exec(fault.field)?.[1]);
  const index = fresh[place]?.index ?? place;
  if (index === place) return fault;
  const [before, after] = [`tasks.${place}.`, `tasks.${index}.`];
  return { field: fault.field.replace(before, after), message: fault.message.replace(before, after) };
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

function castOf({ addedWorkers, without, cordon }: Question, ledger: Ledger): Setting['cast'] {
  const gone = new Set(without);
  const closed = new Set(cordon);
  const own = ledger.views().flatMap((view) => {
    if (gone.has(view.id)) return [];
    const state = view.state === 'ready' && closed.has(view.id) ? 'cordoned' : view.state;
    return [{ ...view, state, reserved: ledger.held(view.id), added: false }];
  });
  const added: Setting['cast'][number][] = [];
  let number = 0;
  for (const { capacity, labels, count } of addedWorkers) {
    for (let copy = 0; copy < count; copy += 1) {
      do number += 1;
      while (ledger.worker(`added-${number}`));
      const id = `added-${number}`;
      added.push({
        id,
        state: 'ready',
        capacity,
        free: capacity,
        labels,
        // Named like nothing that exists.
        freeGpus: Array.from({ length: capacity.gpus }, (_, gpu) => `${id}-gpu-${gpu}`),
        reserved: NO_RESOURCES,
        added: true,
      });
    }
  }
  return [...own, ...added];
}

function viewOf(question: Question, { cast, picture, behind }: Setting, told: WhatIf): WhatIfView {
  const fates = new Map(told.workers.map((fate) => [fate.workerId, fate]));
  return {
    behind,
    more: told.isPartial || (picture.backlog.length >= BACKLOG_MOST && behind > picture.backlog.length),
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
