// Who has how much of the cluster while he wants more, and how slow the cluster is for whom. Pure; time is handed in.

import {
  addResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../../shared/model/resources.ts';
import { dominantShare } from '../fair-share.ts';
import { jainIndex } from './statistics.ts';

interface Account {
  held: Resources;
  waiting: number;
  /** The share as of `since`. */
  share: number;
  since: number;
  /** ∫ share dt and time, while some of the user's tasks waited. */
  shareMs: number;
  wantingMs: number;
  ended: number;
  slowdowns: number;
}

export interface Fairness {
  /** Users of whom a task has ended. */
  readonly users: number;
  /** Jain's index over users of their mean bounded slowdown. */
  readonly ofSlowdown: number | null;
  /** The mean bounded slowdown of the user for whom the cluster was slowest. */
  readonly worstSlowdown: number | null;
  /** Users some of whose tasks waited at some time. */
  readonly wanting: number;
  /** Jain's index over those of their mean dominant share in that time; null for fewer than two. */
  readonly ofShare: number | null;
}

/** Runs shorter than this count as this long: else a task of a blink that waited a second would outweigh all others. */
const BOUND_MS = 10_000;

/**
 * (wait + run) / max(run, 10 s), at least 1.
 * Source: D. Feitelson, L. Rudolph, "Metrics and Benchmarking for Parallel Job Scheduling", JSSPP 1998.
 */
export function boundedSlowdown(waitMs: number, runMs: number): number {
  return Math.max(1, (waitMs + runMs) / Math.max(runMs, BOUND_MS));
}

export class Shares {
  readonly #capacity: Resources;
  readonly #accounts = new Map<string, Account>();

  /** @param capacity of the cluster */
  constructor(capacity: Resources) {
    this.#capacity = capacity;
  }

  wait(user: string, now: number): void {
    this.#at(user, now).waiting += 1;
  }

  /** One of those that waited was placed. */
  hold(user: string, need: Resources, now: number): void {
    const account = this.#at(user, now);
    account.waiting -= 1;
    this.#setHeld(account, addResources(account.held, need));
  }

  release(user: string, need: Resources, now: number): void {
    const account = this.#at(user, now);
    this.#setHeld(account, subtractResources(account.held, need));
  }

  ended(user: string, slowdown: number): void {
    const account = this.#accounts.get(user);
    if (!account) return;
    account.ended += 1;
    account.slowdowns += slowdown;
  }

  fairness(now: number): Fairness {
    const slowdowns: number[] = [];
    const shares: number[] = [];
    for (const user of this.#accounts.keys()) {
      const account = this.#at(user, now);
      if (account.ended > 0) slowdowns.push(account.slowdowns / account.ended);
      if (account.wantingMs > 0) shares.push(account.shareMs / account.wantingMs);
    }
    return {
      users: slowdowns.length,
      ofSlowdown: jainIndex(slowdowns),
      worstSlowdown: slowdowns.length === 0 ? null : Math.max(...slowdowns),
      wanting: shares.length,
      ofShare: shares.length < 2 ? null : jainIndex(shares),
    };
  }

  #setHeld(account: Account, held: Resources): void {
    account.held = held;
    account.share = dominantShare(held, this.#capacity);
  }

  /** Brought up to `now`. */
  #at(user: string, now: number): Account {
    const known = this.#accounts.get(user);
    if (!known) {
      const account: Account = {
        held: NO_RESOURCES,
        waiting: 0,
        share: 0,
        since: now,
        shareMs: 0,
        wantingMs: 0,
        ended: 0,
        slowdowns: 0,
      };
      this.#accounts.set(user, account);
      return account;
    }
    if (known.waiting > 0) {
      known.shareMs += known.share * (now - known.since);
      known.wantingMs += now - known.since;
    }
    known.since = now;
    return known;
  }
}
