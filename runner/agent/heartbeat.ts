// The worker's lease: renews it, and fences the worker by its own monotonic clock when it cannot. From the moment the
// lease may have run out the scheduler may give this worker's tasks to others, so its containers must end. A keeper
// renews it without news, too, for a loop that has so much to do that it comes to its timers late.
//
// The scheduler writes into the store that a worker is down before it takes a task from it. So while the lease cannot be
// renewed, a record that still says "up" shows that nothing was taken: Redis may be away for all, with no leader to take
// anything, and what runs must not end for that.
//
//   ┌─► held ── not renewed for a lease, and not up by a record read just now ──► fenced ──┐
//   └──────────────────────────────── renewed ◄───────────────────────────────────────────┘
//   superseded, taken: over for this life

import { AppError } from '../../shared/errors.ts';
import type { WorkerUsage } from '../../shared/model/worker.ts';
import type { Trouble } from '../../shared/model/worker-health.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { BeatAnswer, KeptLease, LeaseKeeper, WorkerPresence } from '../../shared/ports/coordination.ts';
import { Abandoned, keepTrying, within } from '../executor/patience.ts';

export interface HeartbeatParts {
  readonly workerId: string;
  readonly identity: string;
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly presence: WorkerPresence;
  /** Renews beside this loop, too; null: nobody does. */
  readonly keeper: LeaseKeeper | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  usage(): Promise<WorkerUsage>;
  running(): readonly string[];
  clockOffsetMs(): number | null;
  troubles(): readonly Trouble[];
  /** Whether the store has this life of the worker as up. Throws when it cannot be read. */
  isUpByRecord(): Promise<boolean>;
  /** The lease may have run out: stop containers, take no work. */
  onFenced(): void;
  /** The lease is held again. */
  onRenewed(): void;
  /** Another holds the worker id. Called once; the heart has stopped. */
  onLost(error: AppError): void;
}

/** In leases: a loop that does not come to its timers for longer is not busy, it hangs. */
const SILENCE = 4;

export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #stop = new AbortController();
  #timers: NodeJS.Timeout[] = [];
  #kept: KeptLease | null = null;
  /** Monotonic: the lease holds at least until this plus `leaseMs`. */
  #renewedAt = 0;
  /** Monotonic: when a reading of the record began that had this life as up. */
  #onRecordAt = Number.NEGATIVE_INFINITY;
  #readAt = Number.NEGATIVE_INFINITY;
  #isReading = false;
  #isHeldByRecord = false;
  #isFenced = false;
  #isBeating = false;
  #isTrouble = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  get isFenced(): boolean {
    return this.#isFenced;
  }

  /**
   * Takes the lease, however long that needs, and keeps it from then on. The error says who else has it. Throws only
   * `Abandoned`.
   */
  async start(): Promise<AppError | null> {
    const { log, random, leaseMs } = this.#parts;
    const answer = await keepTrying(
      { signal: this.#stop.signal, log, random, what: 'take the lease of the worker' },
      () => this.#beat(true),
    );
    const refusal = this.#refusal(answer);
    if (refusal) return refusal;
    // Stopped while it was being taken: nobody would end what begins here.
    if (this.#stop.signal.aborted) throw new Abandoned();
    const { keeper, workerId, incarnation } = this.#parts;
    this.#kept = keeper?.keep({ workerId, incarnation, leaseMs, silenceMs: SILENCE * leaseMs }) ?? null;
    this.#timers = [
      setInterval(() => void this.#renew(), leaseMs / 3),
      // Apart from renewing, which may hang on a dead connection.
      setInterval(() => this.#guard(), Math.min(leaseMs / 6, 1_000)),
    ];
    return null;
  }

  /** Beats out of turn, for there is news. Resolves when it is told, or is left to the next beat. */
  async tellNow(): Promise<void> {
    if (this.#timers.length > 0) await this.#renew();
  }

  /** Stops renewing. The lease runs on, so that the next life finds its work in place. */
  stop(): void {
    this.#stop.abort();
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    void this.#kept?.stop();
  }

  async #renew(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      const answer = await this.#beat(false);
      if (this.#stop.signal.aborted) return;
      if (this.#isTrouble) this.#parts.log.info('the lease is renewed again');
      this.#isTrouble = false;
      this.#isHeldByRecord = false;
      const refusal = this.#refusal(answer);
      if (refusal) {
        this.stop();
        this.#parts.onLost(refusal);
      } else if (this.#isFenced) {
        this.#isFenced = false;
        this.#parts.onRenewed();
      }
    } catch (error) {
      if (!this.#isTrouble && !this.#stop.signal.aborted) {
        this.#parts.log.warn({ err: error }, 'the lease could not be renewed');
      }
      this.#isTrouble = true;
    } finally {
      this.#isBeating = false;
    }
  }

  async #beat(first: boolean): Promise<BeatAnswer> {
    const { presence, workerId, identity, incarnation, leaseMs, clock } = this.#parts;
    const usage = await this.#parts.usage();
    // A lease that is given back meanwhile must not come to life again.
    if (this.#stop.signal.aborted) throw new Abandoned();
    const told = {
      usage,
      running: this.#parts.running(),
      troubles: this.#parts.troubles(),
      clockOffsetMs: this.#parts.clockOffsetMs(),
    };
    // Taken before the call: the lease begins somewhere within it.
    const at = clock.monotonic();
    const beat = presence.beat({ workerId, identity, incarnation, ...told }, leaseMs, first);
    const answer = await within(leaseMs / 3, 'renewing the lease', beat);
    if (answer === 'ok') this.#renewedAt = at;
    return answer;
  }

  #guard(): void {
    const { clock, leaseMs, log } = this.#parts;
    this.#kept?.signOfLife();
    const now = clock.monotonic();
    const byOthers = this.#kept?.sinceRenewedMs() ?? Number.POSITIVE_INFINITY;
    const sinceRenewedMs = Math.min(now - this.#renewedAt, byOthers);
    if (this.#isFenced || sinceRenewedMs < leaseMs / 2) return;
    if (!this.#isReading && now - this.#readAt >= leaseMs / 6) void this.#readRecord(now);
    if (sinceRenewedMs < leaseMs) return;
    if (now - this.#onRecordAt < leaseMs / 2) {
      if (!this.#isHeldByRecord) {
        log.warn({ leaseMs }, 'the lease has run out; going on, for the record has this worker as up');
      }
      this.#isHeldByRecord = true;
      return;
    }
    this.#isFenced = true;
    this.#isHeldByRecord = false;
    log.error({ leaseMs }, 'the lease has run out: stopping all containers, taking no work');
    this.#parts.onFenced();
  }

  async #readRecord(at: number): Promise<void> {
    const { leaseMs, log } = this.#parts;
    this.#isReading = true;
    this.#readAt = at;
    try {
      const isUp = await within(leaseMs / 3, "reading the worker's record", this.#parts.isUpByRecord());
      this.#onRecordAt = isUp ? at : Number.NEGATIVE_INFINITY;
    } catch (error) {
      log.debug({ err: error }, "the worker's record cannot be read now");
    } finally {
      this.#isReading = false;
    }
  }

  #refusal(answer: BeatAnswer): AppError | null {
    const { workerId } = this.#parts;
    if (answer === 'taken') {
      return new AppError(
        'worker_id_taken',
        `worker id ${workerId} is in use by another machine: give each runner its own WORKER_ID`,
      );
    }
    return answer === 'superseded' ? superseded(workerId) : null;
  }
}

export function superseded(workerId: string): AppError {
  return new AppError(
    'superseded',
    `a newer runner of ${workerId} has taken over; this one leaves it the work`,
  );
}
