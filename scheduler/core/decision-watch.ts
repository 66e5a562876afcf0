// Lets a plan look at its snapshot and remembers what it looked at: how far into each line of tasks, at which owners,
// images and holdings. The plan sees exactly what it would see without. Pure.

import type { LabelDemand } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import type { Group, GroupEntry, Holding, OwnerView, Snapshot } from './snapshot.ts';

/** A line of tasks of which the taken entries are kept. */
export class WatchedGroup implements Group {
  readonly key: string;
  readonly ownerId: string;
  readonly priority: number;
  readonly need: Resources;
  readonly worker: string | null;
  readonly labels: LabelDemand;
  readonly servedAt: number;
  /** What was taken of it, in order. */
  readonly seen: GroupEntry[] = [];
  readonly #source: Group;
  #rest: Iterator<GroupEntry> | null = null;
  #isOver = false;
  /** More than the first of it was asked for. */
  wasOpened = false;

  constructor(source: Group) {
    this.key = source.key;
    this.ownerId = source.ownerId;
    this.priority = source.priority;
    this.need = source.need;
    this.worker = source.worker;
    this.labels = source.labels;
    this.servedAt = source.servedAt;
    this.#source = source;
  }

  inOrder(): Iterator<GroupEntry> {
    let at = 0;
    return {
      next: () => {
        if (at > 0) this.wasOpened = true;
        if (at === this.seen.length) this.#takeOne();
        if (at === this.seen.length) return { done: true, value: undefined };
        at += 1;
        return { done: false, value: this.seen[at - 1] as GroupEntry };
      },
    };
  }

  #takeOne(): void {
    if (this.#isOver) return;
    this.#rest ??= this.#source.inOrder();
    const { done, value } = this.#rest.next();
    if (done) this.#isOver = true;
    else this.seen.push(value);
  }
}

/** A map of which the keys that were asked for are kept; whoever goes through it has asked for all. */
class WatchedMap<V> implements ReadonlyMap<string, V> {
  readonly asked = new Set<string>();
  askedAll = false;
  readonly #source: ReadonlyMap<string, V>;

  constructor(source: ReadonlyMap<string, V>) {
    this.#source = source;
  }

  get(key: string): V | undefined {
    this.asked.add(key);
    return this.#source.get(key);
  }

  has(key: string): boolean {
    this.asked.add(key);
    return this.#source.has(key);
  }

  /** A plan may only save itself the asking by it, where there is nothing: then it has asked for all. */
  get size(): number {
    if (this.#source.size === 0) this.askedAll = true;
    return this.#source.size;
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    this.#all().forEach(visit);
  }

  entries(): MapIterator<[string, V]> {
    return this.#all().entries();
  }

  keys(): MapIterator<string> {
    return this.#all().keys();
  }

  values(): MapIterator<V> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  /** Values of what was asked for; undefined where there is none. Of all, also those in `known`, which may be gone. */
  *seen(known: Iterable<string>): IterableIterator<[key: string, value: V | undefined]> {
    const keys = this.askedAll ? new Set([...this.#source.keys(), ...known]) : this.asked;
    for (const key of keys) yield [key, this.#source.get(key)];
  }

  #all(): ReadonlyMap<string, V> {
    this.askedAll = true;
    return this.#source;
  }
}

export class WatchedSnapshot implements Snapshot {
  readonly workers: Snapshot['workers'];
  readonly groups: readonly WatchedGroup[];
  readonly owners: WatchedMap<OwnerView>;
  readonly images: WatchedMap<readonly string[]>;
  readonly rules: Snapshot['rules'];
  readonly memory: Snapshot['memory'];
  readonly limit: number;
  /** By worker, as far as it was asked for. */
  readonly holdings = new Map<string, readonly Holding[]>();
  readonly #source: Snapshot;

  constructor(source: Snapshot) {
    this.workers = source.workers;
    this.groups = Array.from(source.groups, (group) => new WatchedGroup(group));
    this.owners = new WatchedMap(source.owners);
    this.images = new WatchedMap(source.images);
    this.rules = source.rules;
    this.memory = source.memory;
    this.limit = source.limit;
    this.#source = source;
  }

  readonly holdingsOf = (workerId: string): readonly Holding[] => {
    const known = this.holdings.get(workerId);
    if (known) return known;
    const held = this.#source.holdingsOf(workerId);
    this.holdings.set(workerId, held);
    return held;
  };
}
