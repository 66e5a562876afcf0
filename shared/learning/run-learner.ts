// Learns from the tasks that end how long tasks of their kinds run, and counts how many met their deadlines. Each process
// learns for itself, from the store alone: what it knows it can lose. It must never write.

import { setImmediate as othersTurn } from 'node:timers/promises';
import { type Kind, type RunTime, RunTimes } from '../model/run-times.ts';
import { ATTAINMENT_WINDOW_MS, AttainmentWindow, type Sla, type SlaAttainment, slaOf } from '../model/sla.ts';
import type { Task } from '../model/task.ts';
import type { Log } from '../platform/log.ts';
import type { Clock } from '../ports/clock.ts';
import type { EndedRun, TaskStore } from '../ports/task-store.ts';

export interface RunLearnerParts {
  readonly tasks: Pick<TaskStore, 'endedRuns'>;
  /** Of the store: when it grows all is learned anew. */
  readonly generation: () => Promise<number>;
  /** Of a kind of which nothing is known. */
  readonly defaultRunMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number | undefined;
  /** Hears of each end that is found, oldest first, also of those of the past week; whether it met its deadline, null if it did not complete. */
  readonly onEnded?: ((run: EndedRun, isMet: boolean | null) => void) | undefined;
}

/** How far back the first look goes: what runs once a week is remembered. */
const LOOK_BACK_MS = 7 * 24 * 3_600_000;
/** Looked at again each time: clocks differ, and a runner may commit a result late. */
const OVERLAP_MS = 60_000;
const EVERY_MS = 5_000;
/** A page of the embedded store takes some 5 ms, in which this process does nothing else. */
const PAGE = 500;

export class RunLearner {
  readonly #parts: RunLearnerParts;
  #runTimes: RunTimes;
  #attained = new AttainmentWindow();
  /** Ends within the overlap that were learned from, so that none counts twice. */
  readonly #seen = new Map<string, number>();
  #upTo: number;
  /** Null before the first look. */
  #generation: number | null = null;
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #stopped = true;

  constructor(parts: RunLearnerParts) {
    this.#parts = parts;
    this.#runTimes = new RunTimes(parts.defaultRunMs);
    this.#upTo = this.#farthestBack();
  }

  /** Begins a look at once. After `stop` it goes on from what is known. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    // One that was stopped and is still at it goes on by itself.
    if (!this.#looking) this.#round();
  }

  /** Keeps what is known. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#looking;
  }

  /** How many looks have reached the newest end. */
  get looks(): number {
    return this.#looks;
  }

  /** Resolves when the look under way is over, however it went. */
  async looked(): Promise<void> {
    await this.#looking;
  }

  /** By all that is known. */
  runTimeOf(kind: Kind): RunTime {
    return this.#runTimes.of(kind);
  }

  /** By what was known at `at`, so that a promise does not move. */
  runTimeAsOf(kind: Kind, at: number): RunTime {
    return this.#runTimes.asOf(kind, at);
  }

  /** Null for a task that failed or was cancelled. */
  slaOf(task: Task): Sla | null {
    const { spec, submittedAt } = task;
    const promised = this.#runTimes.asOf(spec, submittedAt);
    const subject = { ...task, kValue: spec.kValue };
    return slaOf(subject, promised, this.#runTimes.of(spec), this.#parts.clock.now());
  }

  /** Null until the first look is over. */
  attainment(): SlaAttainment | null {
    return this.#looks > 0 ? this.#attained.read(this.#parts.clock.now()) : null;
  }

  /** @throws AppError of the store; the next look begins where this one did */
  async #look(): Promise<void> {
    const { tasks, clock, generation } = this.#parts;
    this.#expect(await generation());
    const begin = clock.now();
    const since = this.#upTo - OVERLAP_MS;
    let after: { finishedAt: number; id: string } | undefined;
    while (!this.#stopped) {
      const page = await tasks.endedRuns({ since, after, limit: PAGE });
      for (const run of page) this.#learn(run, begin);
      after = page.at(-1);
      // A look that fails later goes on from here.
      if (after) this.#advance(Math.min(begin, after.finishedAt + OVERLAP_MS));
      if (page.length < PAGE) break;
      // A store may answer without ever leaving this thread.
      await othersTurn();
    }
    if (this.#stopped) return;
    this.#advance(begin);
    this.#looks += 1;
  }

  /** What was learned from a record that is there no more is forgotten. */
  #expect(generation: number): void {
    if (this.#generation !== null && this.#generation !== generation) {
      this.#runTimes = new RunTimes(this.#parts.defaultRunMs);
      this.#attained = new AttainmentWindow();
      this.#seen.clear();
      this.#upTo = this.#farthestBack();
    }
    this.#generation = generation;
  }

  #farthestBack(): number {
    return this.#parts.clock.now() - LOOK_BACK_MS + OVERLAP_MS;
  }

  #advance(upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    // Nearly in order of their ends.
    for (const [id, finishedAt] of this.#seen) {
      if (finishedAt >= this.#upTo - OVERLAP_MS) break;
      this.#seen.delete(id);
    }
  }

  #learn(run: EndedRun, now: number): void {
    const { id, state, startedAt, finishedAt, submittedAt } = run;
    if (this.#seen.has(id)) return;
    this.#seen.set(id, finishedAt);
    if (state !== 'completed' || startedAt === null) {
      this.#parts.onEnded?.(run, null);
      return;
    }
    if (finishedAt > now - ATTAINMENT_WINDOW_MS) {
      const promised = this.#runTimes.asOf(run, submittedAt);
      const isMet = slaOf(run, promised, promised, now)?.state === 'met';
      this.#attained.add(finishedAt, isMet);
      this.#parts.onEnded?.(run, isMet);
    }
    this.#runTimes.add(run, finishedAt, Math.max(0, finishedAt - startedAt));
  }

  #round(): void {
    this.#looking = this.#look()
      .catch((error) => this.#parts.log.debug({ err: error }, 'what ended cannot be read; tried again'))
      .finally(() => {
        this.#looking = null;
        if (this.#stopped) return;
        this.#timer = setTimeout(() => this.#round(), this.#parts.everyMs ?? EVERY_MS);
      });
  }
}
