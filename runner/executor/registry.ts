// The attempts this process works on, each once: a delivery, a redelivery and an adoption of the same attempt meet
// here. Passes outside news on to them.

import type { Task } from '../../shared/model/task.ts';
import type { ContainerStatus } from '../../shared/ports/container-runtime.ts';
import type { StuckContainer } from '../core/health.ts';
import type { AttemptKey } from '../core/next-step.ts';
import { runAttempt } from './attempt.ts';
import { AttemptState, attemptName } from './attempt-state.ts';
import { takeUpNotes } from './notes.ts';
import { stopReading } from './output.ts';
import { within } from './patience.ts';
import type { ExecutorParts, Steps } from './steps.ts';

interface Running {
  readonly state: AttemptState;
  readonly end: Promise<'over' | 'abandoned'>;
}

export class AttemptRegistry {
  readonly #parts: ExecutorParts;
  readonly #steps: Steps;
  readonly #running = new Map<string, Running>();
  /** Mostly one attempt of a task; a stale one may be on its way out beside it. */
  readonly #byTask = new Map<string, Set<AttemptState>>();
  #isFenced = false;
  #isStopping = false;
  /** Of attempts taken up from now on: their record may say that they run since before the machine was started anew. */
  machineRestarted = false;

  constructor(parts: ExecutorParts, steps: Steps) {
    this.#parts = parts;
    this.#steps = steps;
  }

  has(key: { taskId: string; attempt: number }): boolean {
    return this.#running.has(attemptName(key));
  }

  /** Ids of the tasks at work here, those that wait for room included. */
  taskIds(): string[] {
    return [...this.#byTask.keys()];
  }

  /** Ids of the tasks that have a container here. */
  withContainer(): string[] {
    const states = [...this.#running.values()].map(({ state }) => state);
    return [...new Set(states.filter(({ seen }) => seen !== null).map(({ key }) => key.taskId))];
  }

  /** Containers that are to go and are there still. */
  ending(): StuckContainer[] {
    return [...this.#running.values()].flatMap(({ state: { seen, ending } }) => {
      // What was killed and has ended is on its way.
      if (!seen || !ending || (ending.doing === 'kill' && seen.state === 'exited')) return [];
      return [{ containerId: seen.id, ...ending }];
    });
  }

  /** Since when output, and files, of some attempt wait for a store that takes them; monotonic, null when none do. */
  heldSince(): { logsHeldSince: number | null; filesHeldSince: number | null } {
    const states = [...this.#running.values()].map(({ state }) => state);
    return {
      logsHeldSince: earliest(states.map(({ reading }) => reading?.capture.failingSince ?? null)),
      filesHeldSince: earliest(states.map(({ gathering }) => gathering?.failingSince ?? null)),
    };
  }

  /** Works on the attempt to its end; when it is at work already, joins. */
  run(
    key: AttemptKey,
    known: { task?: Task; container?: ContainerStatus } = {},
  ): Promise<'over' | 'abandoned'> {
    if (this.#isStopping) return Promise.resolve('abandoned');
    const name = attemptName(key);
    const there = this.#running.get(name);
    if (there) return there.end;
    const state = new AttemptState(key);
    state.doing.fenced = this.#isFenced;
    state.doing.machineRestarted = this.machineRestarted;
    takeUpNotes(state, this.#parts.journal);
    if (known.container) state.find(known.container);
    if (known.task) {
      state.task = known.task;
      state.unsure = known.container === undefined && known.task.state !== 'assigned';
    }
    const end = runAttempt(state, this.#steps, this.#parts)
      .catch((error): 'abandoned' => {
        // A fault of ours. The attempt stays as it is, and the next sweep or life of the runner goes on with it.
        this.#parts.log.error({ err: error, ...key }, 'an attempt was dropped by a fault of the runner');
        // Whoever takes it up reads its output anew, and no two may write it.
        state.leave();
        stopReading(state);
        this.#parts.admission.leave(name);
        return 'abandoned';
      })
      .finally(() => {
        this.#running.delete(name);
        this.#dropOfTask(state);
      });
    this.#running.set(name, { state, end });
    const ofTask = this.#byTask.get(key.taskId);
    if (ofTask) ofTask.add(state);
    else this.#byTask.set(key.taskId, new Set([state]));
    return end;
  }

  /** A record that was read elsewhere. */
  learn(task: Task): void {
    for (const state of this.#byTask.get(task.id) ?? []) state.learn(task);
  }

  /** The store does not know these tasks any more. */
  forget(taskIds: ReadonlySet<string>): void {
    for (const taskId of taskIds) {
      for (const state of this.#byTask.get(taskId) ?? []) {
        state.task = null;
        state.bell.ring();
      }
    }
  }

  setFenced(fenced: boolean): void {
    this.#isFenced = fenced;
    for (const { state } of this.#running.values()) state.setFenced(fenced);
  }

  /** Resolves when no container of an attempt is left, or throws `timed_out`. */
  async untilEmpty(deadlineMs: number): Promise<void> {
    const ends = [...this.#running.values()].map(({ end }) => end);
    await within(deadlineMs, 'ending all attempts', Promise.all(ends));
  }

  /** Leaves all attempts as they are, within `deadlineMs`; with `keepOutput` the output read so far is kept. */
  async abandon({ deadlineMs, keepOutput }: { deadlineMs: number; keepOutput: boolean }): Promise<void> {
    this.#isStopping = true;
    const running = [...this.#running.values()];
    const ends = running.map(async ({ state, end }) => {
      state.leave();
      const { reading } = state;
      reading?.handle.close();
      if (keepOutput) await reading?.capture.pause();
      else reading?.capture.close();
      await end;
    });
    await within(deadlineMs, 'leaving the attempts', Promise.all(ends)).catch((error) =>
      this.#parts.log.warn({ err: error }, 'some attempts were left in the middle of a step'),
    );
    // Whatever is still being tried for them ends here.
    for (const { state } of running) state.reading?.capture.close();
  }

  #dropOfTask(state: AttemptState): void {
    const ofTask = this.#byTask.get(state.key.taskId);
    ofTask?.delete(state);
    if (ofTask?.size === 0) this.#byTask.delete(state.key.taskId);
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce(
    (least, time) => (time !== null && (least === null || time < least) ? time : least),
    null,
  );
}
