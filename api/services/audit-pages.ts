// The record of who did what, for admins, page by page; and its end: entries that were kept long enough go. Knows nothing
// of HTTP.

import { setTimeout as delay } from 'node:timers/promises';
import type { AuditAction, AuditEntry } from '../../shared/model/audit.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Log } from '../../shared/platform/log.ts';
import { Pulse } from '../../shared/platform/pulse.ts';
import type { Clock, ClusterClock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { AuditTrail } from './audit-trail.ts';
import { requireRight } from './rights.ts';

export interface AuditPagesParts {
  readonly store: Pick<Store, 'audit' | 'users'>;
  readonly trail: Pick<AuditTrail, 'settle'>;
  /** 0 keeps them for ever. */
  readonly keptMs: number;
  /** One that knows of no other than its own is believed. */
  readonly clock: Clock & Partial<Pick<ClusterClock, 'offsetMs'>>;
  readonly log: Log;
  readonly everyMs?: number | undefined;
}

export interface AuditQuery {
  readonly actor?: string | undefined;
  readonly actions?: readonly AuditAction[] | undefined;
  readonly target?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

const EVERY_MS = 10 * 60_000;
/** One write of the store: some milliseconds. */
const STEP = 500;
const PAUSE_MS = 50;

export class AuditPages {
  readonly #parts: AuditPagesParts;
  readonly #pulse: Pulse;
  readonly #stopping = new AbortController();

  constructor(parts: AuditPagesParts) {
    this.#parts = parts;
    this.#pulse = new Pulse({
      everyMs: parts.everyMs ?? EVERY_MS,
      work: () => this.prune(),
      onFault: (error) => parts.log.warn({ err: error }, 'old entries of the audit log could not be dropped'),
    });
  }

  start(): void {
    if (this.#parts.keptMs > 0) this.#pulse.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pulse.stop();
  }

  /** Newest first. @throws AppError `forbidden` */
  async list(by: Principal, query: AuditQuery): Promise<{ entries: AuditEntry[]; next: string | null }> {
    requireRight(by, 'audit.see');
    const { store, trail } = this.#parts;
    const { actor, limit, before, ...filter } = query;
    let actorId: string | undefined;
    if (actor !== undefined) {
      const user = await store.users.findByUsername(actor);
      if (user === null) return { entries: [], next: null };
      actorId = user.id;
    }
    // Who has just done something here finds it.
    await trail.settle();
    const found = await store.audit.list({ ...filter, actorId }, { limit: limit + 1, before });
    const entries = found.slice(0, limit);
    return { entries, next: found.length > limit ? (entries.at(-1)?.id ?? null) : null };
  }

  /** @throws AppError of the store */
  async prune(): Promise<void> {
    const { store, keptMs, clock, log } = this.#parts;
    // Old is what is old by the cluster's clock and by that of this machine: one of them may be years ahead.
    const before = clock.now() + Math.min(0, clock.offsetMs?.() ?? 0) - keptMs;
    let dropped = 0;
    while (!this.#stopping.signal.aborted) {
      const count = await store.audit.prune(before, STEP);
      dropped += count;
      if (count < STEP) break;
      await delay(PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    if (dropped > 0)
      log.info({ entries: dropped }, 'entries of the audit log that were kept long enough are dropped');
  }
}
