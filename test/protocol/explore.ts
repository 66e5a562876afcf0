// Breadth first through all worlds that can come to be, each once. Says by which moves the first one is reached in which a
// promise is broken, and from which no quiet system comes to an end any more.

import { newTask } from '../../shared/model/task-life.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { makeSpec } from '../support/tasks.ts';
import { outsideMoves } from './outside-moves.ts';
import { brokenIn, isOver } from './promises.ts';
import { RULES, type Rules } from './rules.ts';
import { runnerMoves } from './runner-moves.ts';
import { schedulerMoves } from './scheduler-moves.ts';
import { type Budget, Kept, type Move, NOTHING_LEFT, type Tables, textOf, type World } from './world.ts';
import { Broken } from './writing.ts';

export interface Scenario {
  readonly tasks?: number;
  readonly workers?: number;
  readonly schedulers?: number;
  readonly maxRetries?: number;
  readonly exitCodes?: readonly number[];
  readonly faults?: Partial<Budget>;
  readonly rules?: Partial<Rules>;
  /** So many worlds are looked at, those first that take the fewest moves. */
  readonly most?: number;
}

export interface Explored {
  readonly worlds: number;
  /** Length of the longest of the shortest ways to a world. */
  readonly depth: number;
  /** There are no others. Only then it is known that an end can be reached from each. */
  readonly isWhole: boolean;
  /** Null when all promises hold. */
  readonly broken: { readonly promise: string; readonly steps: readonly string[] } | null;
}

/** A second or so. PROTOCOL_WORLDS=2000000 goes through all of every scenario, which takes minutes. */
const MOST = Number(process.env.PROTOCOL_WORLDS ?? 8_000);

export function explore(scenario: Scenario): Explored {
  const { exitCodes = [0], most = MOST } = scenario;
  const rules = { ...RULES, ...scenario.rules };
  const tables: Tables = { records: new Kept(), outcomes: new Kept() };
  const worlds: World[] = [firstWorld(scenario, tables)];
  const known = new Map([[textOf(worlds[0] as World), 0]]);
  const cameFrom: number[] = [-1];
  const cameBy: string[] = ['the beginning'];
  const depths: number[] = [0];
  /** Worlds from which a quiet move leads here. */
  const before: number[][] = [[]];
  const stepsTo = (at: number): string[] => {
    const steps: string[] = [];
    for (let n = at; n > 0; n = cameFrom[n] as number) steps.push(cameBy[n] as string);
    return steps.reverse();
  };
  let isCut = false;
  const result = (broken: Explored['broken']): Explored => ({
    worlds: worlds.length,
    depth: depths.at(-1) ?? 0,
    isWhole: !isCut,
    broken,
  });

  for (let at = 0; at < worlds.length; at += 1) {
    const world = worlds[at] as World;
    let moves: readonly Move[];
    try {
      moves = movesOf(world, rules, tables, exitCodes);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return result({ promise: error.message, steps: stepsTo(at) });
    }
    for (const { what, to, isFault } of moves) {
      const text = textOf(to);
      let next = known.get(text);
      if (next === undefined && worlds.length >= most) {
        isCut = true;
        continue;
      }
      if (next === undefined) {
        next = worlds.push(to) - 1;
        known.set(text, next);
        cameFrom.push(at);
        cameBy.push(what);
        depths.push((depths[at] as number) + 1);
        before.push([]);
        const promise = brokenIn(to, rules, tables);
        if (promise !== null) return result({ promise, steps: stepsTo(next) });
      }
      if (!isFault) before[next]?.push(at);
    }
  }

  if (isCut) return result(null);
  const stuck = firstStuck(worlds, before, tables);
  return result(stuck === null ? null : { promise: 'a quiet system comes to an end', steps: stepsTo(stuck) });
}

function movesOf(world: World, rules: Rules, tables: Tables, exitCodes: readonly number[]): Move[] {
  if (isOver(world, tables)) return [];
  const byProcess = [
    ...world.schedulers.map((_, n) => schedulerMoves(world, n, rules, tables)),
    ...world.runners.map((_, n) => runnerMoves(world, n, rules, tables)),
    outsideMoves(world, rules, tables, exitCodes),
  ];
  const tidying = byProcess.flat().find(({ isTidying }) => isTidying);
  if (tidying) return [tidying];
  if (world.store.some((number) => !isTerminal(tables.records.get(number).state))) return byProcess.flat();
  // What is left to be tidied up by one is no concern of another: one after the other will do.
  const first = byProcess.find((moves) => moves.some(({ isFault }) => !isFault)) ?? [];
  return [...new Set([...first, ...byProcess.flat().filter(({ isFault }) => isFault)])];
}

/** The first world from which no end can be reached without faults; null when there is none. */
function firstStuck(worlds: readonly World[], before: readonly number[][], tables: Tables): number | null {
  const canEnd = new Uint8Array(worlds.length);
  const open = worlds.flatMap((world, at) => (isOver(world, tables) ? [at] : []));
  for (const at of open) canEnd[at] = 1;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const earlier of before[at] ?? []) {
      if (canEnd[earlier]) continue;
      canEnd[earlier] = 1;
      open.push(earlier);
    }
  }
  const stuck = canEnd.indexOf(0);
  return stuck === -1 ? null : stuck;
}

function firstWorld(scenario: Scenario, { records }: Tables): World {
  const { tasks = 1, workers = 2, schedulers = 2, maxRetries = 0, faults } = scenario;
  const times = <T>(count: number, make: (n: number) => T): T[] =>
    Array.from({ length: count }, (_, n) => make(n));
  return {
    store: times(tasks, (n) =>
      records.put(
        newTask({
          id: `task-${n + 1}`,
          ownerId: 'user-1',
          ownerName: 'alice',
          spec: makeSpec({ maxRetries, image: 'i' }),
          idempotencyKey: null,
          requestHash: null,
          now: 0,
        }),
      ),
    ),
    newestTerm: 0,
    up: times(workers, () => true),
    holder: null,
    present: times(workers, () => true),
    queues: times(workers, () => []),
    schedulers: times(schedulers, () => ({
      isAlive: true,
      stage: 'standby',
      term: 0,
      picture: null,
      toDeliver: null,
    })),
    runners: times(workers, () => ({ isAlive: true, isFenced: false, runs: [] })),
    engines: times(workers, () => []),
    late: null,
    started: [],
    left: { ...NOTHING_LEFT, ...faults },
  };
}
