// Purges tasks that ended longer ago than they are kept, each with all that belongs to it: output, files, deliveries,
// what is left of it in Redis. What only the task leads to goes first and its record last, so that wherever this is
// cut off there is a record left to begin from again, and never bytes that nobody knows of. Any number of copies of
// the API may do this at the same time. Must never touch uploads, or tasks that have not ended.

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Log } from '../../shared/platform/log.ts';
import { Pulse } from '../../shared/platform/pulse.ts';
import type { Clock, ClusterClock } from '../../shared/ports/clock.ts';
import type { FileStore } from '../../shared/ports/file-store.ts';
import type { LiveTraces } from '../../shared/ports/live.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import type { FilePage, FileRecordStore, WebhookStore } from '../../shared/ports/store.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';

export interface RetentionParts {
  readonly tasks: Pick<TaskStore, 'ended' | 'removeEnded'>;
  readonly records: Pick<FileRecordStore, 'list' | 'remove'>;
  readonly webhooks: Pick<WebhookStore, 'removeDeliveriesOf'>;
  readonly logs: Pick<LogStore, 'remove'>;
  readonly files: Pick<FileStore, 'remove'>;
  readonly traces: LiveTraces;
  /** After the end of a task; 0 keeps it for ever. */
  readonly keptMs: number;
  /** One that knows of no other than its own is believed. */
  readonly clock: Clock & Partial<Pick<ClusterClock, 'offsetMs'>>;
  readonly log: Log;
  readonly everyMs?: number | undefined;
}

const EVERY_MS = 10 * 60_000;
/** Whole records in memory at a time, and one write of the store: some milliseconds. */
const BATCH = 50;
const PAGE_FILES = 500;
/** Of the time that a batch took: a million old tasks must not be felt by whoever works beside it. */
const PAUSE_FACTOR = 3;
const PAUSE_MS = { shortest: 20, longest: 5_000 } as const;

export class Retention {
  readonly #parts: RetentionParts;
  readonly #pulse: Pulse;
  readonly #stopping = new AbortController();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: parts.everyMs ?? EVERY_MS,
      work: () => this.#round(),
      onFault: (error) => parts.log.warn({ err: error }, 'old tasks could not be purged; tried again'),
    });
  }

  start(): void {
    if (this.#parts.keptMs > 0) this.#pulse.start();
  }

  /** Resolves when the batch under way is purged. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pulse.stop();
  }

  /**
   * All that are kept long enough by now. A task whose bytes cannot be removed keeps its record for the next time, and the
   * others go on. @returns how many records are gone
   * @throws AppError of the store; whatever is wrong when nothing of a batch can be removed
   */
  async purge(): Promise<number> {
    const { tasks, keptMs, clock } = this.#parts;
    // What is purged is gone: old is what is old by the cluster's clock and by that of this machine. One of them may be
    // years ahead, as after a failover to a Redis whose clock was never set.
    const now = clock.now();
    const before = now + Math.min(0, clock.offsetMs?.() ?? 0) - keptMs;
    let purged = 0;
    let after: { finishedAt: number; id: string } | undefined;
    while (!this.#stopping.signal.aborted) {
      const begun = clock.monotonic();
      const page = await tasks.ended({ since: 0, after, limit: BATCH });
      const old = page.filter(({ finishedAt }) => finishedAt !== null && finishedAt < before);
      if (old.length > 0) purged += await this.#purgeBatch(old);
      const last = old.at(-1);
      if (!last || old.length < BATCH) break;
      after = { finishedAt: last.finishedAt ?? 0, id: last.id };
      await this.#rest(clock.monotonic() - begun);
    }
    return purged;
  }

  async #round(): Promise<void> {
    const purged = await this.purge();
    if (purged > 0) this.#parts.log.info({ tasks: purged }, 'tasks that were kept long enough are purged');
  }

  async #purgeBatch(old: readonly Task[]): Promise<number> {
    const { tasks, webhooks, traces, log } = this.#parts;
    const bare: Task[] = [];
    let fault: unknown = null;
    for (const task of old) {
      try {
        await this.#dropBytes(task);
        bare.push(task);
      } catch (error) {
        fault = error;
        log.warn({ taskId: task.id, fault: messageOf(error) }, 'an old task cannot be purged now');
      }
    }
    if (bare.length === 0) throw fault;
    const ids = bare.map(({ id }) => id);
    await webhooks.removeDeliveriesOf(ids);
    await traces.forget(bare.map(({ id, attempt }) => ({ taskId: id, attempts: attempt })));
    return tasks.removeEnded(ids);
  }

  async #dropBytes({ id, ownerId }: Task): Promise<void> {
    const { logs, files, records } = this.#parts;
    await logs.remove(id);
    let after: string | undefined;
    do {
      const page: FilePage = await records.list({ ownerId, taskId: id }, { limit: PAGE_FILES, after });
      const ids = page.files.map((file) => file.id);
      if (ids.length > 0) {
        await files.remove(ids);
        await records.remove(ids);
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  async #rest(tookMs: number): Promise<void> {
    const ms = Math.min(PAUSE_MS.longest, Math.max(PAUSE_MS.shortest, PAUSE_FACTOR * tookMs));
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
