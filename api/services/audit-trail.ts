// Who did what, as it happens: each deed goes into a short queue here, and from there into the store many at a time. What
// matters most is in the store before its answer goes out; what comes by the thousand (tasks, files) follows within a
// moment. Nothing a person asked for fails because it could not be written down. Never takes a secret.

import { AppError, messageOf } from '../../shared/errors.ts';
import {
  type AuditAction,
  type AuditActor,
  type AuditDetails,
  type AuditEntry,
  auditOutcomeOf,
} from '../../shared/model/audit.ts';
import { newAuditId } from '../../shared/platform/ids.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { AuditStore } from '../../shared/ports/audit-store.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { answerWithin, storeAnswer } from './deadline.ts';
import { SeenLately } from './seen-lately.ts';

/** From where and by whom something was asked. */
export interface Origin {
  readonly actor: AuditActor | null;
  readonly address: string | null;
  readonly requestId: string | null;
}

export interface Deed {
  readonly action: AuditAction;
  /** A function is asked when it is over, whatever came of it. */
  readonly target?: string | null | (() => Promise<string | null>) | undefined;
  readonly details?: AuditDetails | undefined;
}

/** What only the result tells. `targets`: an entry for each. */
export interface Told {
  readonly actor?: AuditActor;
  readonly targets?: readonly string[];
  readonly details?: AuditDetails;
}

export interface AuditTrailParts {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who kills the process loses no more than the deeds of so long, and of these only the busy ones. */
const GATHER_MS = 200;
const RETRY_MS = 1_000;
/** In one transaction: some milliseconds. */
const BATCH = 200;
/** While the store is away; some megabytes. More are counted and not kept. */
const MOST_WAITING = 10_000;
/** How long an answer waits for its entry. */
const PATIENCE_MS = 2_000;
/** Come by the thousand a second, and the records of tasks and files tell of them, too. */
const BUSY: readonly AuditAction[] = [
  'task.submit',
  'task.cancel',
  'task.retry',
  'file.upload',
  'file.delete',
  'upload.begin',
  'upload.delete',
];

export class AuditTrail {
  readonly #parts: AuditTrailParts;
  readonly #seen: SeenLately;
  #waiting: AuditEntry[] = [];
  #round: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;
  #isAway = false;

  constructor(parts: AuditTrailParts) {
    this.#parts = parts;
    this.#seen = new SeenLately(parts.clock);
  }

  /** Does `work`, and writes down what came of it. Throws what `work` throws. */
  async note<T>(
    origin: Origin,
    deed: Deed,
    work: () => Promise<T>,
    told: (result: T) => Told = () => ({}),
  ): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'internal';
      await this.#write(origin, deed, code, {});
      throw error;
    }
    await this.#write(origin, deed, null, told(result));
    return result;
  }

  /** All that was done through this process until now is in the store, or the store does not answer. */
  async settle(): Promise<void> {
    this.#begin();
    const round = this.#round;
    if (round) await answerWithin(round, PATIENCE_MS, 'the store').catch(() => undefined);
  }

  /** What cannot be written now is lost, and said so in the log. */
  async stop(): Promise<void> {
    await this.settle();
    clearTimeout(this.#timer);
    const count = this.#waiting.length + this.#lost;
    if (count > 0) this.#parts.log.error({ count }, 'stopped before all that was done was written down');
  }

  async #write(origin: Origin, deed: Deed, code: string | null, told: Told): Promise<void> {
    const asked =
      typeof deed.target === 'function' ? await deed.target().catch(() => null) : (deed.target ?? null);
    const actor = told.actor ?? origin.actor;
    const details: Record<string, unknown> = { ...deed.details, ...told.details };
    if (actor === null && (code === 'locked_out' || asked === null)) {
      // Nobody who is known may fill the record: of many alike one is kept, and the next one tells how many there were.
      const repeats = this.#seen.see([deed.action, code, asked, origin.address].join('\n'));
      if (repeats === null) return;
      if (repeats > 0) details.repeats = repeats;
    }
    const at = this.#parts.clock.now();
    for (const target of told.targets ?? [asked]) {
      this.#push({
        id: newAuditId(at),
        at,
        actor,
        address: origin.address,
        requestId: origin.requestId,
        action: deed.action,
        target,
        outcome: code === null ? 'done' : auditOutcomeOf(code),
        code,
        details,
      });
    }
    if (BUSY.includes(deed.action)) this.#timer ??= setTimeout(() => this.#begin(), GATHER_MS);
    else if (this.#isAway) this.#timer ??= setTimeout(() => this.#begin(), RETRY_MS);
    else await this.settle();
  }

  #push(entry: AuditEntry): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(entry);
    else this.#lost += 1;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#round ??= this.#run();
  }

  async #run(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      while (this.#waiting.length > 0) {
        const some = this.#waiting.slice(0, BATCH);
        await storeAnswer(store.append(some));
        this.#waiting = this.#waiting.slice(some.length);
        this.#isAway = false;
        this.#tellLost();
      }
    } catch (error) {
      if (!this.#isAway) log.warn({ fault: messageOf(error) }, 'what was done cannot be written down now');
      this.#isAway = true;
      this.#timer ??= setTimeout(() => this.#begin(), RETRY_MS);
    } finally {
      this.#round = null;
    }
  }

  #tellLost(): void {
    const count = this.#lost;
    if (count === 0) return;
    this.#lost = 0;
    const at = this.#parts.clock.now();
    this.#parts.log.error({ count }, 'what was done while the store was away was not all written down');
    this.#push({
      id: newAuditId(at),
      at,
      actor: null,
      address: null,
      requestId: null,
      action: 'audit.lost',
      target: null,
      outcome: 'failed',
      code: 'store_unavailable',
      details: { entries: count },
    });
  }
}
