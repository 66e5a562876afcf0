// A task as it goes on: its states and its output as one sequence, each of them once, from any position on, until the task
// has ended. States come from the record, which has them all, so none is missed however fast they follow each other.
// Of one attempt: the states before its end, its lines among them, all its lines, then its end. Knows nothing of a wire.

import { setTimeout as delay } from 'node:timers/promises';
import { endsAttempt, type StateChange, stateChanges } from '../../shared/model/state-changes.ts';
import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { OutputPage } from './output/output-page.ts';
import { Patience } from './output/patience.ts';
import type { OutputReading, TaskOutput } from './output/task-output.ts';
import type { TaskRecords } from './task-records.ts';
import type { TaskWatch } from './task-watch.ts';

export interface TaskFollowingParts {
  readonly records: Pick<TaskRecords, 'get'>;
  readonly output: Pick<TaskOutput, 'open'>;
  readonly watch: Pick<TaskWatch, 'on'>;
  readonly clock: Clock;
}

/** What comes next. */
export interface FollowPosition {
  readonly attempt: number;
  readonly seq: number;
  /** Number of a state. */
  readonly state: number;
}

export interface FollowAsk {
  readonly by: Principal;
  readonly taskId: string;
  /** The first when absent. */
  readonly attempt?: number | undefined;
  /** First line wanted of that attempt; 1 when absent. */
  readonly fromSeq?: number | undefined;
  /** First state wanted; the first of that attempt when absent. */
  readonly fromState?: number | undefined;
  /** About how much text comes at a time. */
  readonly pageChars: number;
  /** Must be aborted once the follower is done or gone. */
  readonly signal: AbortSignal;
}

export type FollowStep = { readonly next: FollowPosition } & (
  | { readonly kind: 'state'; readonly change: StateChange }
  | { readonly kind: 'lines'; readonly page: OutputPage }
);

/** Returns whether all has been given; false when the signal ended it. */
export type Following = AsyncGenerator<FollowStep, boolean>;

/** Changes are told at once; this is for when that word is lost. The end of output is noticed sooner, by its own tail. */
const LOOK_MS = 5_000;
const RETRY_MS = 500;

interface Place {
  attempt: number;
  seq: number;
  state: number;
}

export class TaskFollowing {
  readonly #parts: TaskFollowingParts;

  constructor(parts: TaskFollowingParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found` for a task or attempt that is not there; `rate_limited` */
  async open(ask: FollowAsk): Promise<Following> {
    const { attempt = 1 } = ask;
    const task = await this.#parts.records.get(ask.by, ask.taskId);
    const ownFirst = stateChanges(task).find((change) => change.attempt >= attempt)?.number ?? 1;
    const place = { attempt, seq: ask.fromSeq ?? 1, state: ask.fromState ?? ownFirst };
    const first = await this.#read(ask, place);
    return this.#follow(ask, place, task, first);
  }

  async *#follow(ask: FollowAsk, place: Place, opened: Task, first: Reading): Following {
    const { taskId, signal } = ask;
    const bell = new Bell(this.#parts.watch, taskId, signal);
    let reading = first;
    let task = opened;
    try {
      for (;;) {
        let page = reading.next();
        for (;;) {
          for (const change of dueStates(task, place, false)) yield passed(place, change);
          const step = await Promise.race([page, bell.rings()]);
          if (bell.answer()) task = await this.#look(ask);
          if (!step) continue;
          // What was written before a line is told before it.
          for (const change of dueStates(task, place, false)) yield passed(place, change);
          if (step.done) {
            if (!step.value.complete) return false;
            break;
          }
          place.seq = step.value.lastSeq + 1;
          yield { kind: 'lines', page: step.value, next: { ...place } };
          page = reading.next();
        }
        reading.close();
        task = await this.#look(ask);
        if (signal.aborted) return false;
        for (const change of dueStates(task, place, true)) yield passed(place, change);
        if (task.attempt <= place.attempt && isTerminal(task.state)) return true;
        place.attempt += 1;
        place.seq = 1;
        reading = await this.#read(ask, place);
      }
    } finally {
      bell.close();
      reading.close();
    }
  }

  async #read({ by, taskId, pageChars, signal }: FollowAsk, { attempt, seq }: Place): Promise<Reading> {
    const end = new AbortController();
    const stop = () => end.abort();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const close = () => {
      signal.removeEventListener('abort', stop);
      end.abort();
    };
    try {
      const query = { attempt, from: seq, follow: true, pageChars, signal: end.signal };
      return new Reading(await this.#parts.output.open(by, taskId, query), attempt, close);
    } catch (error) {
      close();
      throw error;
    }
  }

  /** @throws AppError when the store stays away for too long, and when the task is gone */
  async #look({ by, taskId, signal }: FollowAsk): Promise<Task> {
    const faults = new Patience(this.#parts.clock);
    for (;;) {
      try {
        return await this.#parts.records.get(by, taskId);
      } catch (error) {
        if (signal.aborted) throw error;
        faults.bear(error);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** States up to the attempt at hand that were not given yet; those before its end, or with it. */
function dueStates(task: Task, { attempt, state }: Place, withEnd: boolean): StateChange[] {
  return stateChanges(task).filter(
    (change) =>
      change.number >= state &&
      change.attempt <= attempt &&
      (withEnd || change.attempt < attempt || !endsAttempt(change)),
  );
}

function passed(place: Place, change: StateChange): FollowStep {
  place.state = change.number + 1;
  return { kind: 'state', change, next: { ...place } };
}

/** Output of one attempt. */
class Reading {
  readonly #pages: OutputReading;
  readonly #attempt: number;
  readonly #end: () => void;

  constructor(pages: OutputReading, attempt: number, end: () => void) {
    this.#pages = pages;
    this.#attempt = attempt;
    this.#end = end;
  }

  next(): ReturnType<OutputReading['next']> {
    const page = this.#pages.next();
    // Whoever waits for it hears of a fault; when nobody does any more, nobody needs to.
    page.catch(() => undefined);
    return page;
  }

  close(): void {
    this.#end();
    this.#pages.return({ attempt: this.#attempt, complete: false }).catch(() => undefined);
  }
}

/** Rings when the record may have changed. */
class Bell {
  readonly #stop: () => void;
  readonly #timer: NodeJS.Timeout;
  #rung = false;
  #wake: (() => void) | null = null;

  constructor(watch: Pick<TaskWatch, 'on'>, taskId: string, signal: AbortSignal) {
    const ring = () => {
      this.#rung = true;
      this.#wake?.();
    };
    const unwatch = watch.on(taskId, ring);
    signal.addEventListener('abort', ring);
    this.#timer = setInterval(ring, LOOK_MS);
    this.#stop = () => {
      unwatch();
      signal.removeEventListener('abort', ring);
    };
  }

  /** Resolves once it has rung since the last answer. */
  rings(): Promise<null> {
    if (this.#rung) return Promise.resolve(null);
    return new Promise((done) => {
      this.#wake = () => done(null);
    });
  }

  /** Whether it has. */
  answer(): boolean {
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stop();
  }
}
