// Plays a trace on a cluster in simulated time, with the very plan, backlog and ledger that place tasks for real. Pure: the
// same trace, rules and seed give the same end. What it leaves out is said in docs/SIMULATION.md.
//
// A moment is a time at which something happens: tasks arrive, start, end, leave. Then comes a pass, at the earliest
// `passEveryMs` after the last one, as a scheduler at work gathers what comes meanwhile; and one each TIMED_PASS_MS while
// somebody waits, because waiting alone raises a task and reserves a worker.

import { familiarImage } from '../../../shared/model/image.ts';
import { sumResources } from '../../../shared/model/resources.ts';
import { RunTimes } from '../../../shared/model/run-times.ts';
import type { PlanRules } from '../../../shared/model/scheduling.ts';
import { Backlog } from '../backlog.ts';
import { Heap } from '../heap.ts';
import { Ledger } from '../ledger.ts';
import { PASS_LIMIT, plan } from '../plan.ts';
import {
  NO_MEMORY,
  type Placement,
  type Plan,
  type PlanMemory,
  type Preemption,
  type Snapshot,
} from '../snapshot.ts';
import { waitingTask } from '../waiting.ts';
import { feasibility } from './feasible.ts';
import { fragmentation, sampleOf } from './fragmentation.ts';
import { Measures } from './measures.ts';
import { Outcomes, type PlayReport } from './outcomes.ts';
import { Pulls } from './pulls.ts';
import { Shares } from './shares.ts';
import { type TraceTask, type TraceWorker, workerRecord } from './trace.ts';

export interface Costs {
  /** From placement to start. */
  readonly startMs: number;
  /** For an image that the machine does not have; 0: images have no bearing. */
  readonly pullMs: number;
  /** From being told to leave to having left. */
  readonly stopMs: number;
}

export interface PlayInput {
  readonly workers: readonly TraceWorker[];
  /** In order of `atMs`. */
  readonly tasks: readonly TraceTask[];
  readonly rules: PlanRules;
  readonly seed: number;
  readonly costs: Costs;
  readonly passEveryMs: number;
  /** Expected of a kind of which nothing is known. */
  readonly defaultRunMs: number;
  /** The plan with whatever is to be noted around it. */
  readonly plan?: (snapshot: Snapshot, now: number, seed: number) => Plan;
}

/** A placed task. In the heap by the time of the next thing that happens to it. */
interface Run {
  position: number;
  atMs: number;
  phase: 'starting' | 'running' | 'leaving';
  startedAt: number;
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
}

const TIMED_PASS_MS = 30_000;
/** When for so long nothing runs, comes or is placed, what waits will wait for ever. */
const STUCK_MS = 4 * 3_600_000;

export class Play {
  readonly #input: PlayInput;
  readonly #plan: NonNullable<PlayInput['plan']>;
  readonly #backlog = new Backlog();
  readonly #ledger = new Ledger();
  readonly #runTimes: RunTimes;
  readonly #pulls: Pulls;
  readonly #measures: Measures;
  readonly #shares: Shares;
  readonly #outcomes: Outcomes;
  readonly #isFeasible: (task: TraceTask) => boolean;
  readonly #happenings = new Heap<Run>(
    (a, b) =>
      a.atMs < b.atMs ||
      (a.atMs === b.atMs && (a.index < b.index || (a.index === b.index && a.attempt < b.attempt))),
  );
  readonly #runs = new Map<string, Run>();
  readonly #indexOf = new Map<string, number>();
  readonly #attempts: Uint16Array;
  readonly #deadlines: Float64Array;
  #memory: PlanMemory = NO_MEMORY;
  #next = 0;
  #now = 0;
  #lastPassAt = Number.NEGATIVE_INFINITY;
  #lastPlacedAt = 0;
  #dirty = false;

  constructor(input: PlayInput) {
    const { workers, tasks } = input;
    this.#input = input;
    this.#plan = input.plan ?? plan;
    this.#runTimes = new RunTimes(input.defaultRunMs);
    this.#pulls = new Pulls(input.costs.pullMs);
    const capacity = sumResources(workers.map((worker) => worker.capacity));
    const sample = sampleOf(tasks);
    this.#measures = new Measures(capacity, tasks.at(-1)?.atMs ?? 0, () =>
      fragmentation(sample, this.#ledger.views()),
    );
    this.#shares = new Shares(capacity);
    this.#outcomes = new Outcomes(tasks.length);
    this.#isFeasible = feasibility(workers);
    this.#attempts = new Uint16Array(tasks.length).fill(1);
    this.#deadlines = new Float64Array(tasks.length);
    for (const worker of workers) this.#ledger.setWorker(workerRecord(worker));
  }

  /** Part of the tasks that have ended or never will, for a line that says how far it is. */
  get done(): number {
    const { length } = this.#input.tasks;
    return length === 0 ? 1 : (this.#outcomes.ended + this.#outcomes.infeasible) / length;
  }

  /** Simulated time, and how many wait and hold something now. */
  get now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#measures.waiting;
  }

  get running(): number {
    return this.#measures.running;
  }

  /** The next moment. False when nothing more happens. */
  step(): boolean {
    const at = this.#nextMoment();
    if (at === null) return false;
    this.#measures.advance(at);
    this.#now = at;
    for (let run = this.#happenings.peek(); run && run.atMs <= at; run = this.#happenings.peek()) {
      this.#happenings.remove(run);
      this.#happen(run);
    }
    const { tasks } = this.#input;
    for (let task = tasks[this.#next]; task && task.atMs <= at; task = tasks[this.#next]) {
      this.#arrive(task, this.#next);
      this.#next += 1;
    }
    if (this.#passAt() <= at) this.#pass();
    return true;
  }

  report(): PlayReport {
    return this.#outcomes.report(this.#input.rules, {
      now: this.#now,
      left: [...this.#indexOf.values()].map((index) => this.#deadlines[index] as number),
      sums: this.#measures.sums(),
      fairness: this.#shares.fairness(this.#now),
    });
  }

  #nextMoment(): number | null {
    const { tasks } = this.#input;
    const happening = this.#happenings.peek()?.atMs ?? Number.POSITIVE_INFINITY;
    const arrival = tasks[this.#next]?.atMs ?? Number.POSITIVE_INFINITY;
    const change = Math.min(happening, arrival);
    const at = Math.min(change, this.#passAt());
    if (at === Number.POSITIVE_INFINITY) return null;
    const isStuck = change === Number.POSITIVE_INFINITY && at - this.#lastPlacedAt > STUCK_MS;
    return isStuck ? null : Math.max(at, this.#now);
  }

  #passAt(): number {
    if (this.#backlog.size === 0) return Number.POSITIVE_INFINITY;
    return this.#lastPassAt + (this.#dirty ? this.#input.passEveryMs : TIMED_PASS_MS);
  }

  #arrive(task: TraceTask, index: number): void {
    this.#lastPlacedAt = this.#now;
    if (!this.#isFeasible(task)) {
      this.#outcomes.addInfeasible();
      return;
    }
    this.#queue(index, task.atMs);
  }

  /** @param queuedAt when it came, or came back */
  #queue(index: number, queuedAt: number): void {
    const task = this.#input.tasks[index] as TraceTask;
    const attempt = this.#attempts[index] as number;
    const id = idOf(index);
    const waiting = waitingTask(
      {
        id,
        ownerId: task.user,
        // Each attempt is a newer word of the task.
        revision: attempt,
        priority: task.priority,
        resources: task.need,
        worker: task.worker,
        labels: task.labels,
        image: task.image,
        kValue: task.kValue,
        queueTimeoutSeconds: 0,
        submittedAt: task.atMs,
        notBefore: 0,
        queuedAt,
      },
      this.#runTimes.asOf(task, task.atMs),
    );
    if (attempt === 1) {
      this.#deadlines[index] = waiting.deadline;
      this.#outcomes.addArrival(task.atMs);
    }
    // What was promised at submission stays promised.
    this.#backlog.put({ ...waiting, deadline: this.#deadlines[index] as number }, this.#now);
    this.#indexOf.set(id, index);
    this.#measures.addWaiting(1);
    this.#shares.wait(task.user, this.#now);
    this.#dirty = true;
  }

  #happen(run: Run): void {
    const task = this.#input.tasks[run.index] as TraceTask;
    if (run.phase === 'starting') {
      const held = this.#ledger.holding(idOf(run.index));
      if (held) this.#ledger.hold({ ...held, state: 'running' });
      this.#start(run, task);
      return;
    }
    this.#giveBack(run, task);
    if (run.phase === 'leaving') this.#comeBack(run.index);
    else this.#end(run, task);
  }

  #start(run: Run, task: TraceTask): void {
    this.#pulls.arrived(run.workerId, familiarImage(task.image));
    run.phase = 'running';
    run.startedAt = run.atMs;
    run.atMs += task.runMs;
    this.#happenings.push(run);
  }

  #end(run: Run, task: TraceTask): void {
    this.#runTimes.add(task, this.#now, task.runMs);
    const waitMs = run.startedAt - task.atMs;
    const slowdown = this.#outcomes.addEnd(task, {
      waitMs,
      now: this.#now,
      isMet: this.#now <= (this.#deadlines[run.index] as number),
    });
    this.#shares.ended(task.user, slowdown);
  }

  #giveBack(run: Run, task: TraceTask): void {
    const id = idOf(run.index);
    this.#runs.delete(id);
    this.#ledger.release(id, run.attempt);
    this.#measures.release(task.need);
    this.#shares.release(task.user, task.need, this.#now);
    this.#dirty = true;
  }

  #comeBack(index: number): void {
    this.#attempts[index] = (this.#attempts[index] as number) + 1;
    this.#queue(index, this.#now);
  }

  #pass(): void {
    this.#lastPassAt = this.#now;
    this.#dirty = false;
    for (let again = true; again; ) {
      const made = this.#plan(
        {
          workers: this.#ledger.views(),
          groups: this.#backlog.groups(),
          owners: this.#ledger.owners(),
          images: this.#pulls.images,
          holdingsOf: (workerId) => this.#ledger.holdingsOf(workerId),
          rules: this.#input.rules,
          memory: this.#memory,
          limit: PASS_LIMIT,
        },
        this.#now,
        this.#input.seed,
      );
      this.#outcomes.addPass(made, this.#memory);
      this.#memory = made.memory;
      for (const placement of made.placements) this.#place(placement);
      for (const preemption of made.preemptions) this.#evict(preemption);
      again = made.more && made.placements.length > 0;
    }
  }

  #place({ taskId, workerId, gpuIds }: Placement): void {
    const index = this.#indexOf.get(taskId) as number;
    const task = this.#input.tasks[index] as TraceTask;
    const { startMs } = this.#input.costs;
    const attempt = this.#attempts[index] as number;
    const startsAt = Math.max(
      this.#now + startMs,
      this.#pulls.need(workerId, familiarImage(task.image), this.#now),
    );
    const isAtOnce = startsAt === this.#now;
    this.#backlog.take(taskId, this.#now);
    this.#indexOf.delete(taskId);
    this.#ledger.hold({
      taskId,
      ownerId: task.user,
      workerId,
      priority: task.priority,
      attempt,
      state: isAtOnce ? 'running' : 'assigned',
      resources: task.need,
      gpuIds,
      assignedAt: this.#now,
      isLeaving: false,
    });
    this.#measures.addWaiting(-1);
    this.#measures.hold(task.need);
    this.#shares.hold(task.user, task.need, this.#now);
    this.#lastPlacedAt = this.#now;
    const run: Run = {
      position: -1,
      atMs: startsAt,
      phase: 'starting',
      startedAt: startsAt,
      index,
      attempt,
      workerId,
    };
    this.#runs.set(taskId, run);
    if (isAtOnce) this.#start(run, task);
    else this.#happenings.push(run);
  }

  /** One that has not started is back at once; one that runs needs its time to stop, and may end by itself before. */
  #evict({ taskId, attempt }: Preemption): void {
    const run = this.#runs.get(taskId);
    if (!run || run.attempt !== attempt || run.phase === 'leaving') return;
    this.#outcomes.addPreemption();
    const isRunning = run.phase === 'running';
    const leavesAt = this.#now + (isRunning ? this.#input.costs.stopMs : 0);
    const held = this.#ledger.holding(taskId);
    if (held) this.#ledger.hold({ ...held, isLeaving: true });
    if (isRunning && run.atMs <= leavesAt) return;
    this.#happenings.remove(run);
    run.phase = 'leaving';
    run.atMs = leavesAt;
    this.#happenings.push(run);
  }
}

/** Ids grow with submission, as those of real tasks do. */
function idOf(index: number): string {
  return `task-${String(index).padStart(9, '0')}`;
}
