// Looks at the engine and the machine every few seconds, and keeps what is wrong for the next heartbeat. Nothing here holds
// up a heartbeat or an attempt: each look is bounded, and between looks the last verdict stands. Decides nothing itself
// (core/health.ts).

import { isAppError, messageOf } from '../../shared/errors.ts';
import { describeTroubles, NO_TROUBLES, type Trouble } from '../../shared/model/worker-health.ts';
import { freeDiskMb } from '../../shared/platform/disk-space.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ContainerRuntime } from '../../shared/ports/container-runtime.ts';
import {
  type HealthLimits,
  type HealthLook,
  type HealthMemory,
  judgeHealth,
  NOTHING_WRONG,
  type StuckContainer,
  troublesOf,
} from '../core/health.ts';
import { within } from '../executor/patience.ts';

export const LOOK_EVERY_MS = 5_000;
/** Of what an engine says of its fault, for the words. */
const LONGEST_WHY = 160;

const ENGINE_NAMES: Readonly<Record<ContainerRuntime['kind'], string>> = {
  docker: 'Docker',
  process: 'system',
  scripted: 'engine',
};

export interface WorkerHealthParts {
  readonly dataDir: string;
  readonly runtime: Pick<ContainerRuntime, 'kind' | 'health'>;
  readonly limits: HealthLimits;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Containers that are to go and have not. */
  readonly ending: () => readonly StuckContainer[];
  readonly heldSince: () => Pick<HealthLook, 'logsHeldSince' | 'filesHeldSince'>;
  /** What is wrong has changed. */
  readonly onChange: () => void;
}

export class WorkerHealth {
  readonly #parts: WorkerHealthParts;
  #memory: HealthMemory = NOTHING_WRONG;
  #codes = '';
  #troubles: readonly Trouble[] = NO_TROUBLES;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #isStopped = false;
  #fullAt: number | null = null;
  #failing: HealthLook['failing'] = null;
  /** Since when the engine answers; null while it does not. */
  #answersSince: number | null = null;

  constructor(parts: WorkerHealthParts) {
    this.#parts = parts;
  }

  /** What is wrong now. */
  get troubles(): readonly Trouble[] {
    return this.#troubles;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.#parts.everyMs);
    void this.look();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearInterval(this.#timer);
  }

  /** A container was created or started. */
  started(): void {
    this.#failing = null;
    this.#fullAt = null;
  }

  /** What kept an attempt from its start; only what is the engine's doing counts. */
  failed(error: unknown): void {
    const now = this.#parts.clock.monotonic();
    if (isAppError(error, 'disk_full')) this.#fullAt = now;
    else if (isAppError(error, 'runtime_unavailable') || isAppError(error, 'internal')) {
      const count = (this.#failing?.count ?? 0) + 1;
      this.#failing = { count, lastAt: now, why: shortened(messageOf(error)) };
    } else return;
    void this.look();
  }

  /** Looks once. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#isStopped) return;
    this.#isLooking = true;
    try {
      const { clock, limits, log, dataDir } = this.#parts;
      const [engine, dataFreeMb] = await Promise.all([this.#engine(), freeDiskMb(dataDir)]);
      if (this.#isStopped) return;
      const now = clock.monotonic();
      const judged = judgeHealth(this.#memory, this.#lookAt(now, engine, dataFreeMb), limits);
      this.#memory = judged.memory;
      this.#troubles = troublesOf(judged.memory, now, clock.now());
      const codes = judged.codes.join();
      if (codes === this.#codes) return;
      this.#codes = codes;
      if (codes === '') log.info('this worker is well again');
      else log.warn({ codes: judged.codes }, `this worker is unhealthy: ${describeTroubles(this.#troubles)}`);
      this.#parts.onChange();
    } catch (error) {
      this.#parts.log.error({ err: error }, 'looking at the health of this worker failed');
    } finally {
      this.#isLooking = false;
    }
  }

  async #engine(): Promise<HealthLook['engine']> {
    const { runtime, clock, limits } = this.#parts;
    const askedAt = clock.monotonic();
    try {
      const { freeMb: free, networkFault } = await within(
        limits.answerWithinMs,
        'an answer',
        runtime.health(),
      );
      const now = clock.monotonic();
      if (this.#answersSince === null) {
        this.#answersSince = now;
        // What failed while it was away says nothing of it now.
        this.#failing = null;
      }
      const fault = networkFault && {
        since: now - networkFault.forMs,
        why: shortened(networkFault.message),
      };
      return { answered: true, tookMs: now - askedAt, freeMb: free, networkFault: fault };
    } catch (error) {
      this.#answersSince = null;
      return { answered: false, why: whyAway(error) };
    }
  }

  #lookAt(now: number, engine: HealthLook['engine'], dataFreeMb: number | null): HealthLook {
    const { ending, heldSince, runtime } = this.#parts;
    const answersSince = this.#answersSince ?? now;
    return {
      now,
      engineName: ENGINE_NAMES[runtime.kind],
      engine,
      dataFreeMb,
      fullAt: this.#fullAt,
      failing: this.#failing,
      // An engine that was away until a moment ago could not remove them.
      stuck: ending().map((one) => ({
        ...one,
        since: Math.max(one.since, answersSince),
        why: one.why === null ? null : shortened(one.why),
      })),
      ...heldSince(),
    };
  }
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_WHY ? line : `${line.slice(0, LONGEST_WHY - 1)}…`;
}

function whyAway(error: unknown): string | null {
  const { cause } = error as { cause?: unknown };
  // That it did not answer in time is what not to answer means.
  if (cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError')) return null;
  return shortened(messageOf(error).replace(/^.*cannot be reached: /s, ''));
}
