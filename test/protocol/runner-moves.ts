// What a runner may do next: take a delivery, find what an earlier life left, read a record again, fence itself, and go
// one step on with an attempt. Which step is decided by the runner's own `nextStep`; what a process only does for itself
// is done at once, so that one move changes something that others can see.

import { type Step as NextStep, NOTHING_DONE } from '../../runner/core/next-step.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Step } from '../../shared/model/task-life.ts';
import { isPlaced } from '../../shared/model/task-states.ts';
import type { Rules } from './rules.ts';
import {
  type Container,
  isSameRun,
  type Move,
  nameOf,
  type Run,
  type RunKey,
  type Runner,
  replaced,
  type Tables,
  type World,
  workerName,
} from './world.ts';
import { applied, Broken } from './writing.ts';

const NOW = 1;
const CONTAINER = 'c';

interface Here {
  readonly world: World;
  readonly worker: number;
  readonly rules: Rules;
  readonly tables: Tables;
}

export function runnerMoves(world: World, worker: number, rules: Rules, tables: Tables): Move[] {
  const here = { world, worker, rules, tables };
  const runner = world.runners[worker] as Runner;
  const who = workerName(worker);
  if (!runner.isAlive) {
    const fresh = { isAlive: true, isFenced: false, runs: [] };
    return [quiet(`${who} comes back`, withRunner(here, fresh, {}))];
  }
  const moves: Move[] = [];
  const present = (to: boolean) => replaced(world.present, worker, to);
  if (!world.present[worker]) {
    const beating = { ...runner, isFenced: false };
    moves.push(quiet(`${who} renews its lease`, withRunner(here, beating, { present: present(true) })));
    if (!runner.isFenced && runner.runs.length > 0)
      moves.push(quiet(`${who} fences itself`, withRunner(here, { ...runner, isFenced: true }, {})));
  }
  for (const key of toTakeUp(here, runner)) {
    const run = takenUp(here, key);
    const next = { ...runner, runs: [...runner.runs, run] };
    const move = quiet(`${who} takes up ${nameOf(key)}`, withRunner(here, next, {}));
    moves.push({ ...move, isTidying: isNobodys(here, key) && run.seen === null });
  }
  for (const run of runner.runs) {
    const stored = world.store[run.task] as number;
    const isNewer = tables.records.get(stored).revision > tables.records.get(run.known).revision;
    if (isNewer && run.unsure === null) {
      const to = withRun(here, { ...run, known: stored });
      moves.push(quiet(`${who} reads the record of ${nameOf(run)} again`, to));
    }
    moves.push(...stepOn(here, run));
  }
  return moves;
}

/** Deliveries, containers without anybody at work on them, and what the record says is placed here. */
function toTakeUp({ world, worker, rules, tables }: Here, runner: Runner): RunKey[] {
  const containers = rules.runnersAdopt ? (world.engines[worker] ?? []) : [];
  // A fenced runner takes no work; what it finds it may end.
  const waiting = runner.isFenced ? [] : (world.queues[worker] ?? []);
  const placed = world.store.flatMap((number, task) => {
    const { state, workerId, attempt } = tables.records.get(number);
    return isPlaced(state) && workerId === workerName(worker) && rules.runnersAdopt
      ? [{ task, attempt }]
      : [];
  });
  const keys: RunKey[] = [];
  for (const { task, attempt } of [...containers, ...waiting, ...placed]) {
    const key = { task, attempt };
    if (![...runner.runs, ...keys].some((one) => isSameRun(one, key))) keys.push(key);
  }
  return keys;
}

/** The record has given the attempt up, or has its end. */
function isNobodys({ world, worker, tables }: Here, key: RunKey): boolean {
  const { state, attempt, workerId } = tables.records.get(world.store[key.task] as number);
  return !isPlaced(state) || attempt !== key.attempt || workerId !== workerName(worker);
}

function takenUp({ world, worker, rules }: Here, { task, attempt }: RunKey): Run {
  const run: Run = {
    ...{
      task,
      attempt,
      known: world.store[task] as number,
      unsure: null,
      seen: null,
      outcome: null,
      stop: null,
    },
    ...{
      admitted: false,
      hadContainer: false,
      adopted: false,
      capturing: false,
      gathered: false,
      committed: false,
    },
  };
  const container = world.engines[worker]?.find((one) => isSameRun(one, run));
  return container && rules.runnersAdopt ? found(run, container) : run;
}

function found(run: Run, { state, exitCode }: Container): Run {
  return {
    ...run,
    seen: { state, exitCode },
    admitted: true,
    hadContainer: true,
    adopted: state !== 'created',
  };
}

/** On to the first step that others can see. */
function stepOn(here: Here, from: Run): Move[] {
  const { world, worker, tables } = here;
  let run: Run = from.unsure === null ? from : { ...from, known: world.store[from.task] as number };
  if (run.unsure === 'announce') return announcing(here, run);
  if (run.unsure === 'collect') return ending(here, run);
  for (;;) {
    const container = world.engines[worker]?.find((one) => isSameRun(one, run));
    // The engine tells at once how a container ended that is being waited for.
    if (run.seen && container)
      run = { ...run, seen: { state: container.state, exitCode: container.exitCode } };
    const step = here.rules.nextStep(situationOf(here, run));
    const local = changeOf(step, run, tables);
    if (local === null) return seenByOthers(here, run, step, container);
    run = { ...run, ...local };
  }
}

function situationOf({ world, worker, tables }: Here, run: Run) {
  const task = tables.records.get(run.known);
  return {
    key: { taskId: task.id, attempt: run.attempt, workerId: workerName(worker) },
    task,
    seen: run.seen && { ...run.seen, id: CONTAINER, startedAt: NOW, finishedAt: NOW, oomKilled: false },
    doing: {
      ...NOTHING_DONE,
      admitted: run.admitted,
      imageId: run.admitted ? 'i' : null,
      hadContainer: run.hadContainer,
      adopted: run.adopted,
      capturing: run.capturing,
      drained: run.gathered,
      gathered: run.gathered,
      startedAt: run.capturing ? NOW : null,
      stop: run.stop && { cause: run.stop, at: NOW, killed: false },
      fenced: world.runners[worker]?.isFenced ?? false,
      outcome: run.outcome === null ? null : tables.outcomes.get(run.outcome),
      committed: run.committed,
    },
    now: NOW,
    graceMs: 1_000,
  };
}

/** What a step changes that only this process sees; null when others see it. */
function changeOf(step: NextStep, run: Run, tables: Tables): Partial<Run> | null {
  switch (step.kind) {
    case 'admit':
    case 'pull':
      return { admitted: true };
    case 'adopt':
      return { capturing: true };
    case 'drain':
    case 'gather':
      return { capturing: true, gathered: true };
    case 'settle':
      return { outcome: tables.outcomes.put(step.outcome) };
    case 'clear':
      return run.seen ? null : { committed: true };
    default:
      return null;
  }
}

function seenByOthers(here: Here, run: Run, step: NextStep, container: Container | undefined): Move[] {
  const { world, worker, rules, tables } = here;
  const who = workerName(worker);
  const containers = world.engines[worker] ?? [];
  const others = containers.filter((one) => one !== container);
  const key = { task: run.task, attempt: run.attempt };
  const tidying = (move: Move): Move => ({ ...move, isTidying: isNobodys(here, key) });
  const engine = (list: readonly Container[]) => replaced(world.engines, worker, list);
  const one = (what: string, next: Run, change: Partial<World> = {}) => [
    quiet(`${who} ${what} ${nameOf(run)}`, { ...withRun(here, next), ...change }),
  ];
  switch (step.kind) {
    case 'create':
      if (container && rules.enginesRefuseTwins) return one('finds the container of', found(run, container));
      return one(
        'creates the container of',
        { ...run, hadContainer: true, seen: { state: 'created', exitCode: null } },
        { engines: engine([...others, { ...key, state: 'created', exitCode: null }]) },
      );
    case 'start': {
      if (container?.state !== 'created') return one('sees started', { ...run, capturing: true });
      if (world.started.some((known) => isSameRun(known, key))) {
        throw new Broken('two containers of one attempt');
      }
      return one(
        'starts the container of',
        { ...run, capturing: true, seen: { state: 'running', exitCode: null } },
        {
          engines: engine([...others, { ...key, state: 'running', exitCode: null }]),
          started: [...world.started, key],
        },
      );
    }
    case 'stop':
    case 'kill':
      return one(
        'stops the container of',
        { ...run, stop: step.cause },
        { engines: engine([...others, { ...key, state: 'exited', exitCode: 143 }]) },
      );
    case 'remove':
    case 'drop':
      return one('removes the container of', { ...run, seen: null }, { engines: engine(others) }).map(
        tidying,
      );
    case 'announce':
      return announcing(here, run);
    case 'collect':
      return ending(here, { ...run, outcome: tables.outcomes.put(step.outcome) });
    case 'wait':
      // Whatever was found out for itself on the way here is remembered with the next step.
      return [];
    case 'done': {
      const runner = world.runners[worker] as Runner;
      const gone = { ...runner, runs: runner.runs.filter((other) => !isSameRun(other, run)) };
      const queue = (world.queues[worker] ?? []).filter((other) => !isSameRun(other, run));
      const to = withRunner(here, gone, { queues: replaced(world.queues, worker, queue) });
      return [quiet(`${who} is done with ${nameOf(run)}`, to)].map(tidying);
    }
    default:
      throw new Error(`the world has no step ${step.kind}`);
  }
}

function announcing(here: Here, run: Run): Move[] {
  const said = { attempt: run.attempt, workerId: workerName(here.worker), now: NOW, containerId: CONTAINER };
  return writing(here, run, {
    what: 'announce',
    key: 'announce',
    decide: (task) => here.rules.startTask(task, { ...said, imageId: 'i', gpuIds: [] }),
    isThere: (task) => task.state === 'running' && task.attempt === run.attempt,
    written: run,
  });
}

function ending(here: Here, run: Run): Move[] {
  const { rules, worker, world, tables } = here;
  const outcome = tables.outcomes.get(run.outcome as number);
  if (outcome.kind === 'cancelled' && world.engines[worker]?.some((one) => isSameRun(one, run))) {
    throw new Broken('said to be cancelled before its container was gone');
  }
  const report = { attempt: run.attempt, workerId: workerName(worker), now: NOW, dice: 0, outcome };
  return writing(here, run, {
    what: 'collect',
    key: `collect ${run.outcome}`,
    decide: (task) => rules.finishTask(task, report),
    isThere: (task) => task.attempts.some((one) => one.number === run.attempt && one.state === outcome.kind),
    written: { ...run, committed: true },
  });
}

interface Writing {
  readonly what: 'announce' | 'collect';
  /** With the record and who writes it stands for what `decide` decides. */
  readonly key: string;
  readonly decide: (task: Task) => Step;
  readonly isThere: (task: Task) => boolean;
  readonly written: Run;
}

/** As the runner's Committer does it: over what is known; after a lost answer over what is there. */
function writing(here: Here, run: Run, { what, key, decide, isThere, written }: Writing): Move[] {
  const { world, worker, rules, tables } = here;
  const words = `${workerName(worker)} writes (${what}) ${nameOf(run)}`;
  const stored = world.store[run.task] as number;
  const known = tables.records.get(run.known);
  const next = tables.records.made(`${run.known} ${key} ${worker} ${run.attempt}`, () =>
    taskOf(decide(known)),
  );
  if (next === null) {
    const after = rules.writersLook && isThere(known) ? written : { ...run, known: stored };
    return [quiet(`${words}: refused`, withRun(here, { ...after, unsure: null }))];
  }
  const write = { by: { kind: 'runner', worker, attempt: run.attempt } as const, task: run.task, next };
  const after = applied(world, write, rules, tables);
  const at = (base: World, next: Run) => withRun({ ...here, world: base }, next);
  const moves = [
    after
      ? quiet(words, at(after, { ...written, known: next, unsure: null }))
      : quiet(`${words}: too late`, at(world, { ...run, unsure: what })),
  ];
  if (world.left.messages > 0) {
    const left = { ...world.left, messages: world.left.messages - 1 };
    const unsure = { ...run, unsure: what };
    if (after) moves.push(fault(`${words}: the answer is lost`, at({ ...after, left }, unsure)));
    if (!world.late)
      moves.push(fault(`${words}: it is under way`, at({ ...world, late: write, left }, unsure)));
  }
  return moves;
}

function taskOf(step: Step): Task | null {
  return step.ok ? step.task : null;
}

function withRun(here: Here, run: Run): World {
  const runner = here.world.runners[here.worker] as Runner;
  const runs = runner.runs.map((one) => (isSameRun(one, run) ? run : one));
  return withRunner(here, { ...runner, runs }, {});
}

function withRunner({ world, worker }: Here, runner: Runner, change: Partial<World>): World {
  return { ...world, runners: replaced(world.runners, worker, runner), ...change };
}

function quiet(what: string, to: World): Move {
  return { what, to, isFault: false };
}

function fault(what: string, to: World): Move {
  return { what, to, isFault: true };
}
