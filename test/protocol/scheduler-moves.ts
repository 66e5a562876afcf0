// What a scheduler may do next: win the lease, take a term, look at everything, and then do one thing on what it saw,
// however long ago that was. It goes on as long as nobody refuses it: the world knows no clock that would end its mandate.

import type { Holding } from '../../scheduler/core/snapshot.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Step } from '../../shared/model/task-life.ts';
import { isPlaced, isTerminal } from '../../shared/model/task-states.ts';
import type { Rules } from './rules.ts';
import {
  type Delivery,
  isSameRun,
  type Move,
  nameOf,
  type Picture,
  replaced,
  type Scheduler,
  type Tables,
  type World,
  type Write,
  workerName,
} from './world.ts';
import { applied } from './writing.ts';

const NOW = 1;
const LEASE_MS = 10;

interface Here {
  readonly world: World;
  readonly n: number;
  readonly who: string;
  readonly rules: Rules;
  readonly tables: Tables;
}

export function schedulerMoves(world: World, n: number, rules: Rules, tables: Tables): Move[] {
  const here = { world, n, who: `s${n + 1}`, rules, tables };
  const own = world.schedulers[n] as Scheduler;
  const isIdle = own.picture === null && own.toDeliver === null;
  // Who leads is nobody's concern any more.
  if (isIdle && world.store.every((number) => isTerminal(tables.records.get(number).state))) return [];
  const one = (what: string, next: Scheduler, change: Partial<World> = {}) =>
    quiet(`${here.who} ${what}`, withScheduler(here, next, change));
  if (!own.isAlive) return [one('comes back', { ...own, isAlive: true })];
  if (own.stage === 'standby') {
    return world.holder === null ? [one('wins the lease', { ...own, stage: 'won' }, { holder: n })] : [];
  }
  if (own.stage === 'won') {
    const term = world.newestTerm + 1;
    return [one(`takes term ${term}`, { ...own, stage: 'leading', term }, { newestTerm: term })];
  }
  const moves: Move[] = [];
  if (world.holder === null) moves.push(one('holds the lease again', own, { holder: n }));
  else if (world.holder !== n) moves.push(one('learns that it leads no more', deposed(own)));
  // It goes on when what it has placed is handed over.
  if (own.toDeliver) return [...moves, handOver(here, own, own.toDeliver)];
  const seen: Picture = { store: world.store, up: world.up, present: world.present };
  // What it does nothing about it need not have seen.
  if (own.picture === null && acts(here, own, seen).length > 0)
    moves.push(one('looks', { ...own, picture: seen }));
  if (own.picture) moves.push(...acts(here, own, own.picture));
  return moves;
}

function acts(here: Here, own: Scheduler, picture: Picture): Move[] {
  const { world, who, rules, tables } = here;
  const moves: Move[] = [];
  // Anything it does ends the picture it did it on.
  const next = { ...own, picture: null };
  const records = picture.store.map((number) => tables.records.get(number));
  const holders = new Set(records.map(({ workerId }) => workerId));
  const isWorkLeft = records.some(({ state }) => !isTerminal(state));
  for (const { worker, up } of verdicts(picture, rules)) {
    // Nobody asks about a worker that has nothing and is to get nothing.
    if (up ? !isWorkLeft : !holders.has(workerName(worker))) continue;
    const words = `${who} calls ${workerName(worker)} ${up ? 'up' : 'down'}`;
    const isStale = rules.comparesTerm && own.term < world.newestTerm;
    moves.push(
      isStale
        ? quiet(`${words}: refused`, withScheduler(here, deposed(own), {}))
        : quiet(words, withScheduler(here, next, { up: replaced(world.up, worker, up) })),
    );
  }
  const { lost, redeliver } = rules.reconcilePlaced({
    allocations: records.flatMap((task) => holdingOf(task)),
    booked: [],
    isAlive: (id) => picture.up.some((up, worker) => up && workerName(worker) === id),
    deliveredAt: () => undefined,
    now: NOW,
  });
  records.forEach((task, at) => {
    const { attempt } = task;
    const workerId = task.workerId ?? '';
    const write = (what: string, decide: () => Step, then: Scheduler = next, base = here): Move[] => {
      const number = tables.records.made(`${picture.store[at]} ${what} ${own.term}`, () => {
        const step = decide();
        return step.ok ? step.task : null;
      });
      return number === null
        ? []
        : writing(base, own, `${what} task ${at + 1}`, { task: at, next: number }, then);
    };
    if (lost.some(({ taskId }) => taskId === task.id)) {
      const report = { attempt, workerId, now: NOW, message: 'lost' };
      moves.push(...write('takes back', () => rules.takeBackTask(task, report)));
    } else if (world.left.evictions > 0 && isPlaced(task.state)) {
      const wish = { requestedAt: NOW, cause: 'drained', message: 'away' } as const;
      const left = { ...world.left, evictions: world.left.evictions - 1 };
      const decide = () => rules.evictTask(task, { attempt, workerId, ...wish });
      const some = write('evicts', decide, next, { ...here, world: { ...world, left } });
      moves.push(...some.map((move) => ({ ...move, isFault: true })));
    }
    if (redeliver.some(({ taskId }) => taskId === task.id)) {
      const worker = picture.up.findIndex((_, one) => workerName(one) === workerId);
      const delivery = { task: at, attempt, worker };
      if (!isQueued(world, delivery)) moves.push(handOver(here, next, delivery));
    }
    for (const worker of fitting(picture, records, task)) {
      const decide = () => rules.assignTask(task, { workerId: workerName(worker), term: own.term, now: NOW });
      const toDeliver = { task: at, attempt, worker };
      moves.push(...write(`places on ${workerName(worker)}`, decide, { ...next, toDeliver }));
    }
  });
  return moves;
}

interface Verdict {
  readonly worker: number;
  readonly up: boolean;
}

/** What the leases say about workers, by the scheduler's own judgement of a whole lease without a beat. */
function verdicts({ up, present }: Picture, rules: Rules): readonly Verdict[] {
  const workers = up.map((isUp, n) => ({
    id: workerName(n),
    liveness: isUp ? ('up' as const) : ('down' as const),
  }));
  const absent = { lastBeatAt: null, absentSince: 0, expired: false };
  const memory = { sights: new Map(workers.map(({ id }) => [id, absent])), lookedAt: LEASE_MS - 1 };
  const there = present.flatMap((is, n) => (is ? [[workerName(n), 0] as const] : []));
  const look = { askedAt: LEASE_MS, answeredAt: LEASE_MS, present: new Map(there) };
  const verdict = rules.judgeLiveness(workers, look, memory, LEASE_MS);
  return workers.flatMap(({ id }, worker): Verdict[] => {
    if (verdict.up.includes(id)) return [{ worker, up: true }];
    return verdict.down.includes(id) ? [{ worker, up: false }] : [];
  });
}

/** Workers that are up, beat, and have room: each has it for one task. */
function fitting({ up, present }: Picture, records: readonly Task[], task: Task): number[] {
  if (task.state !== 'queued' || task.cancel) return [];
  const holders = records.flatMap((one) => holdingOf(one)).map(({ workerId }) => workerId);
  return up.flatMap((isUp, n) => (isUp && present[n] && !holders.includes(workerName(n)) ? [n] : []));
}

function holdingOf(task: Task): Holding[] {
  const { id, ownerId, state, workerId, attempt, assignedAt, spec } = task;
  if (!isPlaced(state) || workerId === null) return [];
  const { priority, resources } = spec;
  const of = { taskId: id, ownerId, workerId, attempt, priority, resources, isLeaving: false };
  return [
    { ...of, state: state === 'running' ? 'running' : 'assigned', gpuIds: [], assignedAt: assignedAt ?? 0 },
  ];
}

function writing(
  here: Here,
  own: Scheduler,
  what: string,
  { task, next }: { task: number; next: number },
  then: Scheduler,
): Move[] {
  const { world, who, rules, tables } = here;
  const words = `${who} ${what}`;
  const write: Write = { by: { kind: 'scheduler', term: own.term }, task, next };
  const after = applied(world, write, rules, tables);
  const isStale = rules.comparesTerm && own.term < world.newestTerm;
  const blind = { ...own, picture: null };
  const refused = isStale ? deposed(own) : blind;
  const moves = [
    after
      ? quiet(words, withScheduler({ ...here, world: after }, then, {}))
      : quiet(`${words}: refused`, withScheduler(here, refused, {})),
  ];
  const { left } = world;
  if (left.messages === 0) return moves;
  const less = { ...left, messages: left.messages - 1 };
  if (after) {
    const to = withScheduler({ ...here, world: { ...after, left: less } }, blind, {});
    moves.push(fault(`${words}: the answer is lost`, to));
  }
  if (!world.late) {
    moves.push(fault(`${words}: it is under way`, withScheduler(here, blind, { late: write, left: less })));
  }
  return moves;
}

function handOver(here: Here, own: Scheduler, delivery: Delivery): Move {
  const { world, who } = here;
  const queue = world.queues[delivery.worker] ?? [];
  const { task, attempt } = delivery;
  const queues = isQueued(world, delivery)
    ? world.queues
    : replaced(world.queues, delivery.worker, [...queue, { task, attempt }]);
  return quiet(
    `${who} delivers ${nameOf(delivery)}`,
    withScheduler(here, { ...own, toDeliver: null }, { queues }),
  );
}

function isQueued({ queues }: World, delivery: Delivery): boolean {
  return (queues[delivery.worker] ?? []).some((one) => isSameRun(one, delivery));
}

function deposed(own: Scheduler): Scheduler {
  return { ...own, stage: 'standby', term: 0, picture: null, toDeliver: null };
}

function withScheduler({ world, n }: Here, scheduler: Scheduler, change: Partial<World>): World {
  return { ...world, schedulers: replaced(world.schedulers, n, scheduler), ...change };
}

function quiet(what: string, to: World): Move {
  return { what, to, isFault: false };
}

function fault(what: string, to: World): Move {
  return { what, to, isFault: true };
}
