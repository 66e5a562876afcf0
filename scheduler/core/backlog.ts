// Index of the waiting tasks by what makes them interchangeable. Derived from the store and built again at will;
// every operation is O(log n). Holds no more of a task than the plan needs. Pure: time is handed in.

import type { Resources } from '../../shared/model/resources.ts';
import { resourceShape } from '../../shared/model/resources.ts';
import { Heap } from './heap.ts';
import type { Group, GroupEntry, WaitingTask } from './snapshot.ts';

interface Entry extends GroupEntry {
  readonly revision: number;
  readonly group: QueueGroup;
  /** Within the group's heap, or within `#delayed` while `delayed` is set. */
  position: number;
  delayed: boolean;
  /** The sweep that last confirmed it. */
  sweep: number;
}

class QueueGroup implements Group {
  readonly key: string;
  readonly priority: number;
  readonly need: Resources;
  readonly worker: string | null;
  /** Entries of the group in the index, those in back-off included. */
  members = 0;
  // Ids grow with submission: a task that comes back keeps its place, and the store counts in the same order.
  readonly ready = new Heap<Entry>((a, b) => a.id < b.id);

  constructor(key: string, task: WaitingTask) {
    const { cpuMillis, memoryMb, gpus, storageMb } = task.resources;
    this.key = key;
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
  #sweep = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Revision of the record the entry was made from; undefined when there is no entry. */
  revisionOf(id: string): number | undefined {
    return this.#entries.get(id)?.revision;
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
      revision: task.revision,
      group,
      position: -1,
      delayed: task.notBefore > now,
      sweep: this.#sweep,
    };
    this.#entries.set(entry.id, entry);
    group.members += 1;
    (entry.delayed ? this.#delayed : group.ready).push(entry);
  }

  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    const { group } = entry;
    (entry.delayed ? this.#delayed : group.ready).remove(entry);
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

  /** Groups with a task that may be placed now. Valid until the next change. */
  *groups(): IterableIterator<Group> {
    for (const group of this.#groups.values()) if (group.ready.size > 0) yield group;
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
    this.#groups.set(key, group);
    return group;
  }
}

export function groupKey(task: Pick<WaitingTask, 'priority' | 'resources' | 'worker'>): string {
  return `p${task.priority}${resourceShape(task.resources)}@${task.worker ?? ''}`;
}
