// Which waiting task goes to which worker. Pure: the same snapshot, time and seed give the same plan.
//
// Only the heads of lines compete (a line: tasks that are alike but for their turn, see backlog.ts), in the order of
// head-order.ts: effective priority, then who can just meet a deadline, then the owner's dominant share. A head goes to
// the worker that candidates.ts chooses among those where its need fits and its labels, its owner's quota and
// reservations.ts allow it. Where it fits nowhere, its line is out for the rest of the pass and the others go on: nothing
// that fits waits behind something that does not.
//
// Cost: lines × blocks of workers + placements, never the length of the backlog. Free room only shrinks during a pass.

import { fits } from '../../shared/model/resources.ts';
import { Candidates } from './candidates.ts';
import { FairShare } from './fair-share.ts';
import { Floor } from './floor.ts';
import { type Cursor, Heads } from './head-order.ts';
import { Preemptions } from './preemption.ts';
import { Reservations } from './reservations.ts';
import type { Group, GroupEntry, Placement, Plan, PlanMemory, Snapshot, WaitReason } from './snapshot.ts';
import { WaitReasons } from './wait-reasons.ts';

/** Most placements of one pass of the scheduler; then events, heartbeats and repairs have their turn. */
export const PASS_LIMIT = 2_000;

/** @param seed a non-negative integer: where the rotation begins when there was no pass before */
export function plan(snapshot: Snapshot, now: number, seed: number): Plan {
  const { workers, memory, rules, limit } = snapshot;
  const groups = [...snapshot.groups];
  // Most passes of a cluster with room to spare: not even the workers are looked at.
  if (groups.length === 0) return nothingWaits(memory);
  const floor = new Floor(workers, snapshot.images);
  const shares = new FairShare(snapshot.owners, workers);
  const reservations = new Reservations(floor, shares, memory.reservations, rules, now);
  const preemptions = new Preemptions(floor, reservations, snapshot.holdingsOf);
  const candidates = new Candidates({
    floor,
    reservations,
    policy: rules.policy,
    recent: memory.recent,
    seed,
  });
  const reasons = new WaitReasons(workers, floor, shares);
  const heads = new Heads(shares, rules, now);
  const waiting = new Map<string, WaitReason>();
  const placements: Placement[] = [];
  let more = false;

  /** Nothing to be done for the line in this pass. */
  const turnAway = ({ group, head }: Cursor) => {
    const reason = reasons.of(group);
    if (reason !== 'no_room') waiting.set(group.key, reason);
    else if (rules.preemption && preemptions.makeRoom(group, head, candidates.next)) {
      waiting.set(group.key, 'preempting');
    } else waiting.set(group.key, reservations.isKept(group) ? 'reserved' : reason);
  };

  const find = (group: Group, head: GroupEntry) =>
    shares.mayHave(group.ownerId, group.need) ? candidates.choose(group, head) : -1;

  const cursors: Cursor[] = [];
  const most = floor.room.greatest();
  for (const group of groups) {
    const entries = group.inOrder();
    const head = nextDue(entries, now);
    if (!head) {
      waiting.set(group.key, 'not_yet');
      continue;
    }
    reservations.resume(group, head);
    // In a full cluster most lines end here, without a place among the heads.
    const mayWait = !rules.preemption && !reservations.isStarving(group, head);
    if (mayWait && (most === null || !fits(group.need, most))) {
      waiting.set(group.key, reasons.of(group));
      continue;
    }
    cursors.push({ group, entries, head, served: false, position: -1 });
  }
  for (const { group, head } of cursors) {
    if (!reservations.isStarving(group, head) || reservations.isKept(group)) continue;
    // Room only shrinks: what fits nowhere now fits nowhere in this pass.
    if (find(group, head) === -1 && reasons.of(group) === 'no_room') reservations.ask(group, head);
  }
  reservations.grant();
  for (const cursor of cursors) heads.push(cursor);

  for (let cursor = heads.pop(); cursor; cursor = heads.pop()) {
    const { group, head } = cursor;
    if (placements.length >= limit) {
      more = true;
      break;
    }
    const index = find(group, head);
    if (index === -1) {
      turnAway(cursor);
      continue;
    }
    const gpuIds = floor.take(group.need, index);
    placements.push({ taskId: head.id, workerId: floor.worker(index).id, gpuIds });
    candidates.took(index, group);
    shares.take(group.ownerId, group.need);
    // The worker it gave up may have room for others, who were turned away before.
    if (reservations.fulfil(group)) more = true;
    const following = nextDue(cursor.entries, now);
    if (!following) continue;
    cursor.head = following;
    cursor.served = true;
    heads.push(cursor);
  }
  return {
    placements,
    preemptions: preemptions.list(),
    waiting,
    memory: { recent: candidates.recent, reservations: reservations.list() },
    more,
  };
}

function nothingWaits({ recent }: PlanMemory): Plan {
  const memory = { recent, reservations: [] };
  return { placements: [], preemptions: [], waiting: new Map(), memory, more: false };
}

function nextDue(entries: Iterator<GroupEntry>, now: number): GroupEntry | null {
  for (;;) {
    const { done, value } = entries.next();
    if (done) return null;
    if (value.notBefore <= now) return value;
  }
}
