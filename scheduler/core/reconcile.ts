// What is to be mended where the index, the ledger and the queues have come to differ from the store. Pure: the
// differences are found here, the mending is done by others. The store is always right.

import type { Holding } from './snapshot.ts';

/** An assigned task that has not started after this is delivered again; a repeat is harmless. */
export const REDELIVER_AFTER_MS = 5_000;

export interface PlacedFacts {
  /** What the store says is assigned or running. */
  readonly allocations: readonly Holding[];
  /** What the ledger has booked. */
  readonly booked: Iterable<Holding>;
  /** Whether the worker is in the store and up. */
  readonly isAlive: (workerId: string) => boolean;
  /** When this attempt was last delivered by this leader; undefined when never. */
  readonly deliveredAt: (taskId: string, attempt: number) => number | undefined;
  readonly now: number;
}

export interface PlacedRepairs {
  /** To be booked as the store has it. */
  readonly book: readonly Holding[];
  /** Booked, but nothing the store knows of. */
  readonly release: readonly Holding[];
  readonly redeliver: readonly Holding[];
  /** Placed on workers that are down or were removed. */
  readonly lost: readonly Holding[];
}

export function reconcilePlaced(facts: PlacedFacts): PlacedRepairs {
  const { now } = facts;
  const booked = new Map<string, Holding>();
  for (const one of facts.booked) booked.set(one.taskId, one);
  const book: Holding[] = [];
  const redeliver: Holding[] = [];
  const lost: Holding[] = [];
  for (const one of facts.allocations) {
    const known = booked.get(one.taskId);
    booked.delete(one.taskId);
    if (!known || !sameHolding(known, one)) book.push(one);
    if (!facts.isAlive(one.workerId)) lost.push(one);
    else if (one.state === 'assigned') {
      const since = facts.deliveredAt(one.taskId, one.attempt);
      if (since === undefined || now - since >= REDELIVER_AFTER_MS) redeliver.push(one);
    }
  }
  return { book, release: [...booked.values()], redeliver, lost };
}

function sameHolding(a: Holding, b: Holding): boolean {
  return (
    a.attempt === b.attempt &&
    a.workerId === b.workerId &&
    a.state === b.state &&
    a.isLeaving === b.isLeaving &&
    isSameList(a.gpuIds, b.gpuIds)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

export interface QueuedFacts {
  /** Ids on a page of the store's waiting tasks. */
  readonly queued: readonly string[];
  /** Entries in the intake queue. */
  readonly intakeSize: number;
  /** Waiting tasks in the index, which has taken this page in. */
  readonly backlogSize: number;
}

/**
 * Ids to add to the intake queue again. While it holds as many entries as there are waiting tasks nothing is
 * repeated; when it holds fewer, some were lost, and the whole page is (an entry that is there is left alone).
 */
export function missingFromIntake({ queued, intakeSize, backlogSize }: QueuedFacts): readonly string[] {
  return intakeSize < backlogSize ? queued : [];
}

/** Ids in the intake queue that the index does not know as waiting: to be looked up, and removed if so. */
export function strayInIntake(entries: readonly string[], isWaiting: (id: string) => boolean): string[] {
  return entries.filter((id) => !isWaiting(id));
}
