// What a segment of the decision log has told so far, and so what is left to tell of the next snapshot: the differences.
// Compares by identity first: what the index did not touch costs next to nothing. Pure.

import type { Labels } from '../../shared/model/labels.ts';
import { DIMENSIONS, type Resources } from '../../shared/model/resources.ts';
import type { Reservation } from '../../shared/model/scheduling.ts';
import { groupKey } from './backlog.ts';
import {
  amountsOf,
  type EntryRow,
  type HoldingRow,
  type NameNo,
  near,
  type PassLine,
  type ReservationRow,
  type WorkerFields,
} from './decision-format.ts';
import type { WatchedGroup, WatchedSnapshot } from './decision-watch.ts';
import type { LineWriter } from './decision-writer.ts';
import type { GroupEntry, Holding, OwnerView, Plan, Snapshot, WorkerView } from './snapshot.ts';

interface ToldLine {
  readonly no: number;
  servedAt: number;
  seen: readonly GroupEntry[];
  /** The record that found it last. */
  record: number;
  isThere: boolean;
}

export class Book {
  readonly #out: LineWriter;
  readonly #names = new Map<string, NameNo>();
  readonly #shapes = new Map<string, number>();
  readonly #labels = new Map<string, number>();
  /** Weak: a segment may last for days, and workers that are read again come with labels that are other objects. */
  readonly #labelsByObject = new WeakMap<Labels, number>();
  readonly #demands = new Map<string, number>();
  readonly #lines = new Map<string, ToldLine>();
  #order: ToldLine[] = [];
  #workers: readonly WorkerView[] = [];
  readonly #owners = new Map<string, OwnerView | undefined>();
  readonly #images = new Map<string, readonly string[] | undefined>();
  readonly #holdings = new Map<string, readonly Holding[]>();
  #settings: (Pick<Snapshot, 'rules' | 'limit' | 'memory'> & { readonly seed: number }) | null = null;
  #record = 0;

  constructor(out: LineWriter) {
    this.#out = out;
  }

  /** Writes what is new, and gives back what belongs on the line of the pass. */
  tell(seen: WatchedSnapshot, at: number, seed: number, made: Pick<Plan, 'placements' | 'preemptions'>) {
    this.#record += 1;
    this.#tellWorkers(seen.workers);
    this.#tellOwners(seen);
    this.#tellImages(seen);
    this.#tellHoldings(seen, at);
    const order = this.#tellQueue(seen.groups, at);
    return {
      ...(order ? { order } : {}),
      ...this.#changedSettings(seen, at, seed),
      ...this.#decided(seen.groups, made),
    };
  }

  #tellWorkers(workers: readonly WorkerView[]): void {
    const before = this.#workers;
    let next = 0;
    for (const worker of workers) {
      let old = before[next];
      while (old && old !== worker && old.id < worker.id) {
        this.#out.add('gone', this.#name(old.id), 7);
        next += 1;
        old = before[next];
      }
      const isKnown = old !== undefined && old.id === worker.id;
      if (isKnown) next += 1;
      if (old === worker) continue;
      const fields = this.#fieldsOf(isKnown ? old : undefined, worker);
      if (!isKnown || Object.keys(fields).length > 0) {
        this.#out.add('workers', [this.#name(worker.id), fields], 36 + 8 * (fields.g?.length ?? 0));
      }
    }
    for (const old of before.slice(next)) this.#out.add('gone', this.#name(old.id), 7);
    this.#workers = workers;
  }

  /** Of a new worker what is not the rule; of a known one what has changed. */
  #fieldsOf(old: WorkerView | undefined, worker: WorkerView): WorkerFields {
    const { state, capacity, free, labels, freeGpus } = worker;
    const labelsNo = this.#labelsNo(labels);
    const isAsBefore = {
      s: state === (old?.state ?? 'ready'),
      c: old !== undefined && isSame(capacity, old.capacity),
      f: isSame(free, old?.free ?? capacity),
      l: old ? labelsNo === this.#labelsNo(old.labels) : labelsNo === null,
      g: isSameList(freeGpus, old?.freeGpus ?? []),
    };
    return {
      ...(isAsBefore.s ? {} : { s: state }),
      ...(isAsBefore.c ? {} : { c: this.#shape(capacity) }),
      ...(isAsBefore.f ? {} : { f: amountsOf(free) }),
      ...(isAsBefore.l ? {} : { l: labelsNo ?? -1 }),
      ...(isAsBefore.g ? {} : { g: freeGpus.map((id) => this.#name(id)) }),
    };
  }

  #tellOwners({ owners }: WatchedSnapshot): void {
    for (const [id, now] of owners.seen(this.#owners.keys())) {
      const told = this.#owners.get(id);
      const isTold = told === now || (told && now && told.held === now.held && told.quota === now.quota);
      if (isTold && this.#owners.has(id)) continue;
      const quota = now?.quota;
      this.#out.add(
        'owners',
        [
          this.#name(id),
          now ? amountsOf(now.held) : null,
          quota ? [quota.cpuMillis, quota.memoryMb, quota.gpus] : null,
        ],
        40,
      );
      // A copy: the account of an owner lives on.
      this.#owners.set(id, now && { held: now.held, quota: now.quota });
    }
  }

  #tellImages({ images }: WatchedSnapshot): void {
    for (const [image, now] of images.seen(this.#images.keys())) {
      const told = this.#images.get(image);
      const isTold = told === now || (told && now && isSameList(told, now));
      if (isTold && this.#images.has(image)) continue;
      const workers = now ? now.map((id) => this.#name(id)) : null;
      this.#out.add('images', [this.#name(image), workers], 12 + 6 * (now?.length ?? 0));
      this.#images.set(image, now);
    }
  }

  #tellHoldings({ holdings }: WatchedSnapshot, at: number): void {
    for (const [workerId, now] of holdings) {
      const told = this.#holdings.get(workerId);
      if (told && isSameList(told, now)) continue;
      const places = placesOf(told ?? []);
      const rows = now.map((one) => places.get(one) ?? this.#holdingRow(one, at));
      this.#out.add('holdings', [this.#name(workerId), rows], 12 + 80 * rows.length);
      this.#holdings.set(workerId, now);
    }
  }

  #holdingRow(one: Holding, at: number): HoldingRow {
    return [
      one.taskId,
      this.#name(one.ownerId),
      one.priority,
      one.attempt,
      one.state === 'running' ? 1 : 0,
      this.#shape(one.resources),
      one.gpuIds.map((id) => this.#name(id)),
      near(one.assignedAt, at),
      one.isLeaving ? 1 : 0,
    ];
  }

  /** @returns the order of the lines, if it must be told */
  #tellQueue(groups: readonly WatchedGroup[], at: number): number[] | null {
    const there: ToldLine[] = [];
    const fresh: ToldLine[] = [];
    for (const group of groups) {
      const line = this.#lineOf(group);
      line.record = this.#record;
      there.push(line);
      if (!line.isThere) fresh.push(line);
      else if (line.servedAt === group.servedAt && isSameList(line.seen, group.seen)) continue;
      const places = placesOf(line.isThere ? line.seen : []);
      let chars = 20;
      const rows = group.seen.map((entry) => {
        const place = places.get(entry);
        chars += place === undefined ? 80 : 6;
        return place ?? this.#entryRow(entry, at);
      });
      this.#out.add('queue', [line.no, near(group.servedAt, at), rows], chars);
      line.servedAt = group.servedAt;
      line.seen = group.seen;
      line.isThere = true;
    }
    const stayed: ToldLine[] = [];
    for (const line of this.#order) {
      if (line.record === this.#record) {
        stayed.push(line);
        continue;
      }
      this.#out.add('left', line.no, 7);
      line.isThere = false;
      line.seen = [];
    }
    this.#order = there;
    const expected = [...stayed, ...fresh];
    return there.every((line, n) => line === expected[n]) ? null : there.map(({ no }) => no);
  }

  #entryRow(entry: GroupEntry, at: number): EntryRow {
    return [
      entry.id,
      near(entry.queuedAt, at),
      near(entry.notBefore, at),
      this.#name(entry.image),
      entry.expectedMs,
      near(entry.deadline, at),
      near(entry.turn, at),
    ];
  }

  #lineOf(group: WatchedGroup): ToldLine {
    const known = this.#lines.get(group.key);
    if (known) return known;
    const { key, ownerId, priority, need, worker, labels } = group;
    const usual = groupKey({ ownerId, priority, resources: need, worker, labels });
    this.#out.add(
      'lines',
      [
        key === usual ? null : this.#name(key),
        this.#name(ownerId),
        priority,
        this.#shape(need),
        worker === null ? null : this.#name(worker),
        this.#demandNo(group),
      ],
      30,
    );
    const line = { no: this.#lines.size, servedAt: 0, seen: [], record: 0, isThere: false };
    this.#lines.set(key, line);
    return line;
  }

  #changedSettings({ rules, limit, memory }: WatchedSnapshot, at: number, seed: number) {
    const told = this.#settings;
    this.#settings = { rules, limit, seed, memory };
    const { recent, reservations } = memory;
    return {
      ...(isEqual(rules, told?.rules) ? {} : { rules }),
      ...(limit === told?.limit ? {} : { limit }),
      ...(seed === told?.seed ? {} : { seed }),
      ...(isEqual(recent, told?.memory.recent) ? {} : { recent: recent.map((id) => this.#name(id)) }),
      ...(isEqual(reservations, told?.memory.reservations)
        ? {}
        : { reservations: reservations.map((one) => this.#reservationRow(one, at)) }),
    };
  }

  #reservationRow(one: Reservation, at: number): ReservationRow {
    return [
      this.#name(one.workerId),
      this.#name(one.groupKey),
      one.taskId,
      near(one.since, at),
      near(one.until, at),
      one.tried.map((id) => this.#name(id)),
    ];
  }

  #decided(groups: readonly WatchedGroup[], made: Pick<Plan, 'placements' | 'preemptions'>) {
    const places = new Map<string, [line: number, place: number]>();
    for (const { key, seen, wasOpened } of groups) {
      if (!wasOpened) continue;
      const { no } = this.#lines.get(key) as ToldLine;
      seen.forEach(({ id }, place) => {
        places.set(id, [no, place]);
      });
    }
    const placed = made.placements.map(({ taskId, workerId, gpuIds }): PassLine['placed'][number] => {
      const [line, place] = places.get(taskId) ?? [taskId, 0];
      const worker = this.#name(workerId);
      return gpuIds.length === 0
        ? [line, place, worker]
        : [line, place, worker, gpuIds.map((id) => this.#name(id))];
    });
    if (made.preemptions.length === 0) return { placed };
    const preempted = made.preemptions.map(
      ({ taskId, attempt, workerId, forTask }): NonNullable<PassLine['preempted']>[number] => [
        taskId,
        attempt,
        this.#name(workerId),
        forTask,
      ],
    );
    return { placed, preempted };
  }

  #name(text: string): NameNo {
    return this.#number(this.#names, text, () => this.#out.add('names', text, text.length + 3));
  }

  #shape(resources: Resources): number {
    const amounts = amountsOf(resources);
    return this.#number(this.#shapes, amounts.join(), () => this.#out.add('shapes', amounts, 20));
  }

  /** Null for none at all. */
  #labelsNo(labels: Labels): number | null {
    const known = this.#labelsByObject.get(labels);
    if (known !== undefined) return known;
    const text = JSON.stringify(labels);
    if (text === '{}') return null;
    const no = this.#number(this.#labels, text, () => this.#out.add('labels', labels, text.length + 1));
    this.#labelsByObject.set(labels, no);
    return no;
  }

  #demandNo({ labels: { constraints, prefer } }: WatchedGroup): number | null {
    const text = JSON.stringify([constraints, prefer]);
    if (text === '[{},{}]') return null;
    return this.#number(this.#demands, text, () =>
      this.#out.add('demands', [constraints, prefer], text.length),
    );
  }

  #number(known: Map<string, number>, key: string, tell: () => void): number {
    const no = known.get(key);
    if (no !== undefined) return no;
    known.set(key, known.size);
    tell();
    return known.size - 1;
  }
}

function isSame(one: Resources, other: Resources): boolean {
  return one === other || DIMENSIONS.every((dimension) => one[dimension] === other[dimension]);
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one === other || (one.length === other.length && one.every((item, n) => item === other[n]));
}

/** Of small values that are plain data. */
function isEqual(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function placesOf<T>(list: readonly T[]): Map<T, number> {
  return new Map(list.map((item, place) => [item, place]));
}
