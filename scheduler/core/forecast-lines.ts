// The lines of a cluster that is played on (forecast-play.ts): who is next in each, and which of them is tried first.
// Pure. Their order is the plan's but for deadlines: priority, which grows as the head is passed over, then the share of
// the owner, then the turn of the head.

import type { LabelTerms } from '../../shared/model/labels.ts';
import { NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import { groupKey, turnOf } from './backlog.ts';
import { dominantShare, totalOf } from './fair-share.ts';
import type { Waiting } from './forecast.ts';
import { effectivePriority } from './head-order.ts';
import type { OwnerView, WorkerView } from './snapshot.ts';

/** No worker is known to have room for the line. */
export const NO_ROOM = -1;

interface Member {
  readonly task: Waiting;
  readonly turn: number;
}

export interface Line {
  readonly key: string;
  readonly need: Resources;
  readonly worker: string | null;
  readonly constraints: LabelTerms;
  readonly priority: number;
  readonly owner: Owner;
  /** In order of their turn, those in back-off left out. */
  readonly members: Member[];
  /** Of the first in `members` that has not started. */
  head: number;
  /** One of it started then, and the rest begins to wait anew. */
  servedAt: number;
  /** Index of the worker that is kept for its head; −1: none. */
  keeps: number;
  /** For how long a worker was kept for this head last; 0: none was. */
  keptForMs: number;
  /** Until when that was. */
  keptUntil: number;
  /** Keeps none before: all were tried, and others have their turn. */
  restsUntil: number;
  /** Indexes of workers that were kept in vain. */
  tried: number[];
  /** Index of a worker that may have room for it; `NO_ROOM`: all are too full since it was looked at last. */
  roomAt: number;
  /** As of the last ranking. */
  effective: number;
  share: number;
}

/** What an owner has while the cluster is played on. */
export interface Owner {
  readonly quota: ResourceQuota | null;
  held: Resources;
}

/** How many lines may be ranked anew for each step of the play. */
const RANKED_PER_STEP = 200;

export class Lines {
  readonly #ageingMs: number;
  readonly #total: Resources;
  readonly #owners = new Map<string, Owner>();
  readonly #given: ReadonlyMap<string, OwnerView>;
  readonly #byKey = new Map<string, Line>();
  /** Those with somebody in them, in order. */
  #standing: Line[] = [];
  #stepsUnranked = 0;

  constructor(of: {
    readonly workers: readonly WorkerView[];
    readonly owners: ReadonlyMap<string, OwnerView>;
    readonly ageingMs: number;
  }) {
    this.#ageingMs = Math.max(1, of.ageingMs);
    this.#given = of.owners;
    this.#total = totalOf(of.workers);
  }

  get standing(): readonly Line[] {
    return this.#standing;
  }

  get(key: string): Line | undefined {
    return this.#byKey.get(key);
  }

  owner(id: string): Owner {
    const known = this.#owners.get(id);
    if (known) return known;
    const owner: Owner = { quota: null, held: NO_RESOURCES, ...this.#given.get(id) };
    this.#owners.set(id, owner);
    return owner;
  }

  /** Puts it into its line, which does not stand by that. */
  add(task: Waiting, servedAt = 0): Line {
    const line = this.#lineOf(task, servedAt);
    const turn = turnOf({ ...task, expectedMs: task.run.medianMs });
    let at = line.members.length;
    while (at > line.head && goesBefore({ task, turn }, line.members[at - 1] as Member)) at -= 1;
    line.members.splice(at, 0, { task, turn });
    return line;
  }

  /** All lines take their places. */
  standAll(at: number): void {
    this.#standing = [...this.#byKey.values()].filter(({ head, members }) => head < members.length);
    this.#rank(at);
  }

  /** To its place, wherever it stood before. Returns where that is. */
  stand(line: Line, at: number): number {
    const before = this.#standing.indexOf(line);
    if (before !== -1) this.#standing.splice(before, 1);
    return this.#insert(line, at);
  }

  /** The head of the line at this place starts. Returns where the line stands then; −1: it is empty. */
  serve(place: number, at: number): number {
    const [line] = this.#standing.splice(place, 1) as [Line];
    line.head += 1;
    line.servedAt = at;
    line.keptForMs = 0;
    line.restsUntil = 0;
    line.tried = [];
    return line.head < line.members.length ? this.#insert(line, at) : -1;
  }

  /** Ranks as many lines anew as is cheap: time has gone on, and what their owners hold has changed. */
  refresh(at: number): void {
    this.#stepsUnranked += 1;
    if (this.#stepsUnranked * RANKED_PER_STEP >= this.#standing.length) this.#rank(at);
  }

  #rank(at: number): void {
    this.#stepsUnranked = 0;
    for (const line of this.#standing) this.#setRank(line, at);
    this.#standing.sort((a, b) => compare(a, b));
  }

  #setRank(line: Line, at: number): void {
    const waited = Math.max(0, at - passedOverSince(line));
    line.effective = effectivePriority(line.priority, waited, this.#ageingMs);
    line.share = dominantShare(line.owner.held, this.#total);
  }

  #insert(line: Line, at: number): number {
    this.#setRank(line, at);
    let [low, high] = [0, this.#standing.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#standing[middle] as Line, line) < 0) low = middle + 1;
      else high = middle;
    }
    this.#standing.splice(low, 0, line);
    return low;
  }

  #lineOf(task: Waiting, servedAt: number): Line {
    const key = groupKey(task);
    const known = this.#byKey.get(key);
    if (known) return known;
    const { resources: need, worker, priority, labels, ownerId } = task;
    const line: Line = {
      key,
      need,
      worker,
      constraints: labels.constraints,
      priority,
      owner: this.owner(ownerId),
      members: [],
      head: 0,
      servedAt,
      keeps: -1,
      keptForMs: 0,
      keptUntil: 0,
      restsUntil: 0,
      tried: [],
      roomAt: NO_ROOM,
      effective: priority,
      share: 0,
    };
    this.#byKey.set(key, line);
    return line;
  }
}

export function headOf(line: Line): Waiting {
  return (line.members[line.head] as Member).task;
}

export function passedOverSince(line: Line): number {
  const { queuedAt, notBefore } = headOf(line);
  return Math.max(queuedAt, notBefore, line.servedAt);
}

function compare(a: Line, b: Line): number {
  if (a.effective !== b.effective) return b.effective - a.effective;
  if (a.share !== b.share) return a.share - b.share;
  return goesBefore(a.members[a.head] as Member, b.members[b.head] as Member) ? -1 : 1;
}

function goesBefore(a: Member, b: Member): boolean {
  return a.turn === b.turn ? a.task.id < b.task.id : a.turn < b.turn;
}
