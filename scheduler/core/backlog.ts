// Index of the waiting tasks by what makes them interchangeable. Derived from the store and built again at will;
// every operation is O(log n). Holds no more of a task than the plan needs. Pure: time is handed in.

import { demandKey, type LabelDemand } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import { resourceShape } from '../../shared/model/resources.ts';
import { Heap, type HeapItem } from './heap.ts';
import type { Group, GroupEntry, WaitingTask } from './snapshot.ts';

export const MOST_PATIENCE_MS = 3_600_000;

/** When an entry is given up. */
interface Expiry extends HeapItem {
  readonly at: number;
  readonly entry: Entry;
  /** It was seen that its time is over: it is in no line any more, only waits to be ended. */
  isOver: boolean;
}

interface Entry extends GroupEntry {
  readonly revision: number;
  readonly group: QueueGroup;
  /** Within the group's heap, or within `#delayed` while `delayed` is set. */
  position: number;
  delayed: boolean;
  /** The sweep that last confirmed it. */
  sweep: number;
  /** Null: never. */
  expiry: Expiry | null;
}

/** A task that has waited for longer than it may. */
export interface Overdue {
  readonly id: string;
  readonly groupKey: string;
}

class QueueGroup implements Group {
  readonly key: string;
  readonly ownerId: string;
  readonly priority: number;
  readonly need: Resources;
  readonly worker: string | null;
  readonly labels: LabelDemand;
  servedAt = 0;
  /** Entries of the group in the index, those in back-off included. */
  members = 0;
  readonly ready = new Heap<Entry>(goesBefore);

  constructor(key: string, task: WaitingTask) {
    const { cpuMillis, memoryMb, gpus, storageMb } = task.resources;
    this.key = key;
    this.ownerId = task.ownerId;
    this.labels = task.labels;
    this.priority = task.priority;
    this.need = { cpuMillis, memoryMb, gpus, storageMb };
    this.worker = task.worker;
  }

  inOrder(): Iterator<GroupEntry> {
    return this.ready.inOrder();
  }
}

export class Backlog {
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, QueueGroup>();
  readonly #delayed = new Heap<Entry>((a, b) => a.notBefore < b.notBefore);
  readonly #expiring = new Heap<Expiry>((a, b) => a.at < b.at);
  readonly #over = new Heap<Expiry>((a, b) => a.at < b.at);
  /** By key of a line: when it was served under the leader before. */
  readonly #inherited = new Map<string, number>();
  #sweep = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Lines of alike tasks, those in back-off included. */
  get lines(): number {
    return this.#groups.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Revision of the record the entry was made from; undefined when there is no entry. */
  revisionOf(id: string): number | undefined {
    return this.#entries.get(id)?.revision;
  }

  /** Lines that wait and were served, those served last first. */
  served(most: number): [key: string, at: number][] {
    const lines: [string, number][] = [];
    for (const { key, servedAt } of this.#groups.values()) if (servedAt > 0) lines.push([key, servedAt]);
    return lines.sort((a, b) => b[1] - a[1]).slice(0, most);
  }

  /** Goes on from what `served` said elsewhere. Before the first task is put. */
  resume(served: Iterable<readonly [key: string, at: number]>): void {
    for (const [key, at] of served) this.#inherited.set(key, at);
  }

  /** Adds the task, or replaces what is known of it unless that is newer. */
  put(task: WaitingTask, now: number): void {
    const known = this.#entries.get(task.id);
    if (known) {
      known.sweep = this.#sweep;
      if (known.revision >= task.revision) return;
      this.remove(task.id);
    }
    const group = this.#groupFor(task);
    const entry: Entry = {
      id: task.id,
      queuedAt: task.queuedAt,
      notBefore: task.notBefore,
      image: task.image,
      expectedMs: task.expectedMs,
      deadline: task.deadline,
      turn: turnOf(task),
      revision: task.revision,
      group,
      position: -1,
      delayed: task.notBefore > now,
      sweep: this.#sweep,
      expiry: null,
    };
    const { expiresAt = null } = task;
    if (expiresAt !== null) {
      entry.expiry = { at: expiresAt, entry, position: -1, isOver: false };
      this.#expiring.push(entry.expiry);
    }
    this.#entries.set(entry.id, entry);
    group.members += 1;
    (entry.delayed ? this.#delayed : group.ready).push(entry);
  }

  /** The task was placed: takes it out, and its line begins to wait anew. */
  take(id: string, now: number): boolean {
    const entry = this.#entries.get(id);
    if (entry) entry.group.servedAt = now;
    return this.remove(id);
  }

  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    const { group, expiry } = entry;
    if (expiry?.isOver) this.#over.remove(expiry);
    else {
      if (expiry) this.#expiring.remove(expiry);
      (entry.delayed ? this.#delayed : group.ready).remove(entry);
    }
    group.members -= 1;
    if (group.members === 0) this.#groups.delete(group.key);
    return true;
  }

  /** Lets tasks whose back-off is over join their groups. Returns how many did. */
  ripen(now: number): number {
    let ripe = 0;
    for (let next = this.#delayed.peek(); next && next.notBefore <= now; next = this.#delayed.peek()) {
      this.#delayed.remove(next);
      next.delayed = false;
      next.group.ready.push(next);
      ripe += 1;
    }
    return ripe;
  }

  /** When the next back-off ends; null when none is running. */
  nextRipeAt(): number | null {
    return this.#delayed.peek()?.notBefore ?? null;
  }

  /** When the next entry has waited for as long as it may; null when none has an end. */
  nextExpiryAt(): number | null {
    return this.#over.peek()?.at ?? this.#expiring.peek()?.at ?? null;
  }

  /**
   * Takes what has waited for too long by now out of its line, so that no plan has it. It stays in the index until it is
   * removed or put anew.
   */
  withdraw(now: number): void {
    for (let next = this.#expiring.peek(); next && next.at <= now; next = this.#expiring.peek()) {
      const { entry } = next;
      this.#expiring.remove(next);
      (entry.delayed ? this.#delayed : entry.group.ready).remove(entry);
      next.isOver = true;
      this.#over.push(next);
    }
  }

  /** Something is withdrawn. */
  get hasOverdue(): boolean {
    return this.#over.size > 0;
  }

  /** What is withdrawn, the longest overdue first; it stays. O(limit × log limit). */
  overdue(limit: number): Overdue[] {
    const found: Overdue[] = [];
    for (const { entry } of this.#over.inOrder()) {
      if (found.length >= limit) break;
      found.push({ id: entry.id, groupKey: entry.group.key });
    }
    return found;
  }

  /** Groups with a task that may be placed now. Valid until the next change. */
  *groups(): IterableIterator<Group> {
    for (const group of this.#groups.values()) if (group.ready.size > 0) yield group;
  }

  /** All that wait, those in back-off and overdue ones included. Goes on over changes. */
  entries(): IterableIterator<GroupEntry> {
    return this.#entries.values();
  }

  /** Begins a sweep: `put` of a task from now on confirms it. */
  beginSweep(): void {
    this.#sweep += 1;
  }

  /** Ids that were in the index when the sweep began and were not confirmed since; at most `limit`. */
  unconfirmed(limit: number): string[] {
    const found: string[] = [];
    for (const entry of this.#entries.values()) {
      if (found.length >= limit) break;
      if (entry.sweep !== this.#sweep) found.push(entry.id);
    }
    return found;
  }

  #groupFor(task: WaitingTask): QueueGroup {
    const key = groupKey(task);
    const known = this.#groups.get(key);
    if (known) return known;
    const group = new QueueGroup(key, task);
    group.servedAt = this.#inherited.get(key) ?? 0;
    this.#inherited.delete(key);
    this.#groups.set(key, group);
    return group;
  }
}

/** Equal for tasks of one line. */
export function groupKey(
  task: Pick<WaitingTask, 'ownerId' | 'priority' | 'resources' | 'worker' | 'labels'>,
): string {
  const { ownerId, priority, resources, worker, labels } = task;
  return `${ownerId} p${priority} ${resourceShape(resources)} @${worker ?? ''} ${demandKey(labels)}`;
}

/**
 * The turn of a task within its line: by the latest moment at which it can start and still meet its deadline (least
 * laxity: A. K. Mok, 1983), but never later than MOST_PATIENCE_MS after it was submitted, so that a task with a far
 * deadline is not overtaken for ever by later ones with near ones.
 */
export function turnOf({
  submittedAt,
  deadline,
  expectedMs,
}: Pick<WaitingTask, 'submittedAt' | 'deadline' | 'expectedMs'>): number {
  return Math.min(deadline - expectedMs, submittedAt + MOST_PATIENCE_MS);
}

/** Ids grow with submission: a task that comes back keeps its place. */
function goesBefore(a: Entry, b: Entry): boolean {
  return a.turn === b.turn ? a.id < b.id : a.turn < b.turn;
}
