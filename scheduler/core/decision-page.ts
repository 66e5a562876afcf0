// The state of a segment of the decision log as a reader builds it: what Book tells, worked in line by line. Throws
// `Misfit` for a line that cannot follow on what was read before. Pure.

import type { LabelDemand, Labels } from '../../shared/model/labels.ts';
import { NO_DEMAND } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import { groupKey } from './backlog.ts';
import {
  type EntryRow,
  type HoldingRow,
  type PassLine,
  resourcesOf,
  type Sections,
  timeOf,
  type WorkerFields,
} from './decision-format.ts';
import type {
  Group,
  GroupEntry,
  Holding,
  OwnerView,
  Placement,
  Plan,
  Preemption,
  Snapshot,
  WorkerView,
} from './snapshot.ts';

/** A line says what cannot be. */
export class Misfit extends Error {}

interface Line extends Omit<Group, 'servedAt' | 'inOrder'> {
  servedAt: number;
  entries: readonly GroupEntry[];
}

export class Page {
  readonly #names: string[] = [];
  readonly #shapes: Resources[] = [];
  readonly #labels: Labels[] = [];
  readonly #demands: LabelDemand[] = [];
  readonly #lines: Line[] = [];
  #workers: WorkerView[] = [];
  readonly #workersById = new Map<string, WorkerView>();
  #order = new Set<Line>();
  readonly #owners = new Map<string, OwnerView>();
  readonly #images = new Map<string, readonly string[]>();
  readonly #holdings = new Map<string, readonly Holding[]>();
  #settings: Pick<PassLine, 'rules' | 'limit' | 'seed'> = {};
  #memory: Snapshot['memory'] = { recent: [], reservations: [] };

  take(told: Sections, at: number): void {
    this.#names.push(...(told.names ?? []));
    this.#shapes.push(...(told.shapes ?? []).map(resourcesOf));
    this.#labels.push(...(told.labels ?? []));
    this.#demands.push(...(told.demands ?? []).map(([constraints, prefer]) => ({ constraints, prefer })));
    for (const row of told.lines ?? []) this.#lines.push(this.#lineOf(row));
    this.#takeWorkers(told);
    for (const [owner, held, quota] of told.owners ?? []) {
      const id = this.#name(owner);
      if (held === null) this.#owners.delete(id);
      else {
        const [cpuMillis, memoryMb, gpus] = quota ?? [null, null, null];
        this.#owners.set(id, { held: resourcesOf(held), quota: quota && { cpuMillis, memoryMb, gpus } });
      }
    }
    for (const [image, workers] of told.images ?? []) {
      if (workers === null) this.#images.delete(this.#name(image));
      else
        this.#images.set(
          this.#name(image),
          workers.map((no) => this.#name(no)),
        );
    }
    for (const [worker, rows] of told.holdings ?? []) {
      const workerId = this.#name(worker);
      const before = this.#holdings.get(workerId) ?? [];
      const now = rows.map((row) =>
        typeof row === 'number' ? there(before, row, 'holding') : this.#holding(row, workerId, at),
      );
      this.#holdings.set(workerId, now);
    }
    for (const [no, servedAt, rows] of told.queue ?? []) {
      const line = there(this.#lines, no, 'line of tasks');
      const before = line.entries;
      line.entries = rows.map((row) =>
        typeof row === 'number' ? there(before, row, 'task of a line') : this.#entry(row, at),
      );
      line.servedAt = timeOf(servedAt, at);
      this.#order.add(line);
    }
    for (const no of told.left ?? []) {
      const line = there(this.#lines, no, 'line of tasks');
      line.entries = [];
      this.#order.delete(line);
    }
  }

  /** What the plan of this pass saw, and what was made of it. */
  pass(line: PassLine): {
    snapshot: Snapshot;
    seed: number;
    made: Pick<Plan, 'placements' | 'preemptions'>;
  } {
    if (line.order) this.#order = new Set(line.order.map((no) => there(this.#lines, no, 'line of tasks')));
    const { rules = this.#settings.rules, limit = this.#settings.limit, seed = this.#settings.seed } = line;
    if (!rules || limit === undefined || seed === undefined) throw new Misfit('there are no settings');
    this.#settings = { rules, limit, seed };
    const { recent, reservations } = line;
    if (recent) this.#memory = { ...this.#memory, recent: recent.map((no) => this.#name(no)) };
    if (reservations) {
      const now = reservations.map(([worker, key, taskId, since, until, tried]) => ({
        workerId: this.#name(worker),
        groupKey: this.#name(key),
        taskId,
        since: timeOf(since, line.at),
        until: timeOf(until, line.at),
        tried: tried.map((no) => this.#name(no)),
      }));
      this.#memory = { ...this.#memory, reservations: now };
    }
    const holdings = new Map(this.#holdings);
    const snapshot: Snapshot = {
      workers: [...this.#workers],
      groups: Array.from(this.#order, groupOf),
      owners: new Map(this.#owners),
      images: new Map(this.#images),
      holdingsOf: (workerId) => holdings.get(workerId) ?? [],
      rules,
      memory: this.#memory,
      limit,
    };
    return { snapshot, seed, made: this.#decided(line) };
  }

  #decided({ placed, preempted = [] }: PassLine): Pick<Plan, 'placements' | 'preemptions'> {
    const placements = placed.map(([line, place, worker, gpus = []]): Placement => {
      const taskId =
        typeof line === 'string'
          ? line
          : there(there(this.#lines, line, 'line of tasks').entries, place, 'task of a line').id;
      return { taskId, workerId: this.#name(worker), gpuIds: gpus.map((no) => this.#name(no)) };
    });
    const preemptions = preempted.map(
      ([taskId, attempt, worker, forTask]): Preemption => ({
        taskId,
        attempt,
        workerId: this.#name(worker),
        forTask,
      }),
    );
    return { placements, preemptions };
  }

  #takeWorkers({ workers = [], gone = [] }: Sections): void {
    const count = this.#workersById.size;
    for (const no of gone) this.#workersById.delete(this.#name(no));
    let isSameSet = gone.length === 0;
    for (const [no, fields] of workers) {
      const id = this.#name(no);
      this.#workersById.set(id, this.#worker(id, fields));
    }
    isSameSet &&= this.#workersById.size === count;
    if (workers.length === 0 && isSameSet) return;
    this.#workers = isSameSet
      ? this.#workers.map(({ id }) => this.#workersById.get(id) as WorkerView)
      : [...this.#workersById.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #worker(id: string, { s, c, f, l, g }: WorkerFields): WorkerView {
    const old = this.#workersById.get(id);
    const capacity = c === undefined ? old?.capacity : there(this.#shapes, c, 'resources');
    if (!capacity) throw new Misfit(`nothing is known of worker "${id}"`);
    let labels = old?.labels ?? {};
    if (l !== undefined) labels = l < 0 ? {} : there(this.#labels, l, 'labels');
    return {
      id,
      state: s ?? old?.state ?? 'ready',
      capacity,
      free: f ? resourcesOf(f) : (old?.free ?? capacity),
      labels,
      freeGpus: g ? g.map((no) => this.#name(no)) : (old?.freeGpus ?? []),
    };
  }

  #lineOf([key, owner, priority, shape, worker, demand]: Sections['lines'] extends (infer R)[] | undefined
    ? R
    : never): Line {
    const line = {
      ownerId: this.#name(owner),
      priority,
      need: there(this.#shapes, shape, 'resources'),
      worker: worker === null ? null : this.#name(worker),
      labels: demand === null ? NO_DEMAND : there(this.#demands, demand, 'demand'),
      servedAt: 0,
      entries: [],
    };
    return { ...line, key: key === null ? groupKey({ ...line, resources: line.need }) : this.#name(key) };
  }

  #entry([id, queuedAt, notBefore, image, expectedMs, deadline, turn]: EntryRow, at: number): GroupEntry {
    return {
      id,
      queuedAt: timeOf(queuedAt, at),
      notBefore: timeOf(notBefore, at),
      image: this.#name(image),
      expectedMs,
      deadline: timeOf(deadline, at),
      turn: timeOf(turn, at),
    };
  }

  #holding(row: HoldingRow, workerId: string, at: number): Holding {
    const [taskId, owner, priority, attempt, isRunning, shape, gpus, assignedAt, isLeaving] = row;
    return {
      taskId,
      ownerId: this.#name(owner),
      workerId,
      priority,
      attempt,
      state: isRunning === 1 ? 'running' : 'assigned',
      resources: there(this.#shapes, shape, 'resources'),
      gpuIds: gpus.map((no) => this.#name(no)),
      assignedAt: timeOf(assignedAt, at),
      isLeaving: isLeaving === 1,
    };
  }

  #name(no: number): string {
    return there(this.#names, no, 'name');
  }
}

/** A line of tasks as it is now, whatever becomes of it. */
function groupOf({ entries, ...line }: Line): Group {
  return { ...line, inOrder: () => entries[Symbol.iterator]() };
}

function there<T>(list: readonly T[], no: number, what: string): T {
  const item = list[no];
  if (item === undefined) throw new Misfit(`there is no ${what} number ${no}`);
  return item;
}
