// What an attempt is at, for whoever watches: each phase as a span below that of the attempt, and its length as a measurement.
// Nothing depends on it. An attempt that another life of the runner goes on with has a span of its own for each life.

import { isPlatform } from '../../shared/model/retry.ts';
import type { Task } from '../../shared/model/task.ts';
import type { AttemptOutcome } from '../../shared/model/task-life.ts';
import { taskAttributes } from '../../shared/model/trace.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Span, Tracer } from '../../shared/ports/tracing.ts';
import type { AttemptKey, Step } from '../core/next-step.ts';

export const PHASES = [
  'admit',
  'pull',
  'provide',
  'create',
  'start',
  'run',
  'collect',
  'commit',
  'remove',
] as const;
export type Phase = (typeof PHASES)[number];

const PHASE_OF: Readonly<Record<Step['kind'], Phase | null>> = {
  admit: 'admit',
  pull: 'pull',
  provide: 'provide',
  create: 'create',
  start: 'start',
  announce: 'run',
  adopt: 'run',
  wait: 'run',
  stop: 'run',
  kill: 'run',
  drain: 'run',
  gather: 'collect',
  settle: 'commit',
  collect: 'commit',
  remove: 'remove',
  drop: 'remove',
  clear: 'remove',
  done: null,
};

/** Takes measurements. */
export interface AttemptWatch {
  phase(phase: Phase, tookMs: number): void;
  /** The end of an attempt stands in its record. */
  ended(outcome: AttemptOutcome): void;
}

export interface PhaseParts {
  readonly tracer: Tracer;
  readonly watch: AttemptWatch | null;
  readonly clock: Clock;
}

export class Phases {
  readonly #parts: PhaseParts;
  readonly #key: AttemptKey;
  #attempt: Span | null = null;
  #now: { readonly phase: Phase; readonly since: number; readonly span: Span | null } | null = null;

  constructor(key: AttemptKey, parts: PhaseParts) {
    this.#key = key;
    this.#parts = parts;
  }

  /** By which others go on below the attempt; null when nobody traces it. */
  get traceparent(): string | null {
    return this.#attempt?.traceparent ?? null;
  }

  /** Before each step. */
  at(step: Step, task: Task | null): void {
    const phase = PHASE_OF[step.kind];
    if (this.#now?.phase === phase) return;
    this.#leave();
    if (phase === null) return;
    this.#begin(task);
    const { clock, tracer } = this.#parts;
    const parent = this.#attempt?.traceparent;
    const span = parent ? tracer.start(`task.${phase}`, { parent, at: clock.now() }) : null;
    this.#now = { phase, since: clock.monotonic(), span };
  }

  committed(outcome: AttemptOutcome): void {
    this.#parts.watch?.ended(outcome);
    const reason = outcome.kind === 'failed' ? outcome.reason : null;
    this.#attempt?.set({
      'cloudai.outcome': outcome.kind,
      ...(reason === null ? {} : { 'cloudai.reason': reason, 'cloudai.platform_fault': isPlatform(reason) }),
      ...(outcome.exitCode === null ? {} : { 'cloudai.exit_code': outcome.exitCode }),
    });
    if (reason !== null) this.#attempt?.fail(reason);
  }

  end(how: 'over' | 'abandoned'): void {
    this.#leave();
    if (how === 'abandoned') this.#attempt?.set({ 'cloudai.left_to_next_life': true });
    this.#attempt?.end(this.#parts.clock.now());
    this.#attempt = null;
  }

  /** As soon as the record says that somebody traces it. */
  #begin(task: Task | null): void {
    const { tracer, clock } = this.#parts;
    if (!tracer.isOn || this.#attempt || task?.spec.traceparent === undefined) return;
    const { attempt, workerId } = this.#key;
    this.#attempt = tracer.start('task.attempt', {
      parent: task.spec.traceparent,
      kind: 'consumer',
      at: clock.now(),
      attributes: {
        ...taskAttributes(task),
        'cloudai.attempt': attempt,
        'cloudai.worker_id': workerId,
      },
    });
  }

  #leave(): void {
    if (!this.#now) return;
    const { phase, since, span } = this.#now;
    const { clock, watch } = this.#parts;
    this.#now = null;
    span?.end(clock.now());
    watch?.phase(phase, clock.monotonic() - since);
  }
}
