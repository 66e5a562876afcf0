// What each owner has of the cluster, during a pass: the dominant share by which they take turns, and what their quota
// still allows. Pure.
//
// Dominant share of an owner = max over the dimensions d of held_d / total_d, where the total is that of all workers that
// are up. The owner with the smallest goes next. Source: A. Ghodsi, M. Zaharia, B. Hindman, A. Konwinski, S. Shenker,
// I. Stoica, "Dominant Resource Fairness: Fair Allocation of Multiple Resource Types", NSDI 2011, algorithm 1.

import {
  addResources,
  DIMENSIONS,
  fits,
  NO_RESOURCES,
  type Resources,
} from '../../shared/model/resources.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import { roomOf } from './fit.ts';
import type { OwnerView, WorkerView } from './snapshot.ts';

export function dominantShare(held: Resources, total: Resources): number {
  let most = 0;
  for (const dimension of DIMENSIONS) {
    if (total[dimension] > 0) most = Math.max(most, held[dimension] / total[dimension]);
  }
  return most;
}

/** What the shares are parts of. */
export function totalOf(workers: readonly WorkerView[]): Resources {
  let [cpuMillis, memoryMb, gpus, storageMb] = [0, 0, 0, 0];
  // Asked in each pass, of ten thousand workers: no object for each.
  for (const { state, capacity } of workers) {
    if (state === 'down') continue;
    cpuMillis += capacity.cpuMillis;
    memoryMb += capacity.memoryMb;
    gpus += capacity.gpus;
    storageMb += capacity.storageMb;
  }
  return { cpuMillis, memoryMb, gpus, storageMb };
}

/** True when an owner who holds `held` may have `need` more. */
export function allows(quota: ResourceQuota | null, held: Resources, need: Resources): boolean {
  return quota === null || fits(need, roomOf(quota, held));
}

interface Account {
  held: Resources;
  readonly quota: ResourceQuota | null;
  share: number;
}

/** The owners' accounts as of this moment of a pass. */
export class FairShare {
  readonly #owners: ReadonlyMap<string, OwnerView>;
  readonly #total: Resources;
  readonly #accounts = new Map<string, Account>();

  constructor(owners: ReadonlyMap<string, OwnerView>, workers: readonly WorkerView[]) {
    this.#owners = owners;
    this.#total = totalOf(workers);
  }

  shareOf(ownerId: string): number {
    return this.#account(ownerId).share;
  }

  mayHave(ownerId: string, need: Resources): boolean {
    const { quota, held } = this.#account(ownerId);
    return allows(quota, held, need);
  }

  /** False when it is more than the owner may have in all. */
  mayEverHave(ownerId: string, need: Resources): boolean {
    return allows(this.#account(ownerId).quota, NO_RESOURCES, need);
  }

  take(ownerId: string, need: Resources): void {
    const account = this.#account(ownerId);
    account.held = addResources(account.held, need);
    account.share = dominantShare(account.held, this.#total);
  }

  #account(ownerId: string): Account {
    const known = this.#accounts.get(ownerId);
    if (known) return known;
    const { held = NO_RESOURCES, quota = null } = this.#owners.get(ownerId) ?? {};
    const account = { held, quota, share: dominantShare(held, this.#total) };
    this.#accounts.set(ownerId, account);
    return account;
  }
}
