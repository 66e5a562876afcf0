// What each worker has, what placed tasks hold of it, what is free. Derived from the store and built again at
// will; O(1) per operation. It never decides. Pure.

import { placingLabels } from '../../shared/model/mounts.ts';
import {
  addResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../shared/model/resources.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { HeardWorker, Worker } from '../../shared/model/worker.ts';
import { NO_TROUBLES, type Trouble } from '../../shared/model/worker-health.ts';
import { freeGpusOf, freeOf, standingOf } from './fit.ts';
import type { Holding, OwnerView, WorkerView } from './snapshot.ts';

interface Account {
  worker: Worker | null;
  /** What was heard of it last. */
  troubles: readonly Trouble[];
  held: Resources;
  readonly holdings: Map<string, Holding>;
  /** Made when it is asked for, dropped with every change. */
  view: WorkerView | null;
}

interface OwnerAccount extends OwnerView {
  held: Resources;
  quota: ResourceQuota | null;
  /** How many of theirs hold something. */
  tasks: number;
}

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  readonly #holdings = new Map<string, Holding>();
  readonly #owners = new Map<string, OwnerAccount>();
  /** Views in order of id; null after a change of the set of workers. */
  #order: Account[] | null = null;
  #quotas: ReadonlyMap<string, ResourceQuota> = new Map();

  /** How many tasks hold something. */
  get size(): number {
    return this.#holdings.size;
  }

  workers(): Worker[] {
    return this.#ordered().map(({ worker }) => worker as Worker);
  }

  worker(id: string): Worker | null {
    return this.#accounts.get(id)?.worker ?? null;
  }

  /** What was heard of it before stays heard, unless the worker comes with news. */
  setWorker(worker: HeardWorker): void {
    const account = this.#account(worker.id);
    if (worker.troubles) account.troubles = worker.troubles;
    if (!account.worker) this.#order = null;
    account.worker = worker;
    account.view = null;
  }

  /** Takes up what its heartbeat tells. True when it became unhealthy or well by that. */
  hear(id: string, troubles: readonly Trouble[]): boolean {
    const account = this.#accounts.get(id);
    if (!account?.worker) return false;
    const hasChanged = account.troubles.length > 0 !== troubles.length > 0;
    account.troubles = troubles;
    if (hasChanged) account.view = null;
    return hasChanged;
  }

  /** Forgets the worker. What tasks hold there stays known until it is released. */
  dropWorker(id: string): void {
    const account = this.#accounts.get(id);
    if (!account?.worker) return;
    account.worker = null;
    account.view = null;
    this.#order = null;
    if (account.holdings.size === 0) this.#accounts.delete(id);
  }

  /** Books the task on its worker. What it held before, on whichever worker, is given back first. */
  hold(holding: Holding): void {
    this.#release(holding.taskId);
    const account = this.#account(holding.workerId);
    this.#holdings.set(holding.taskId, holding);
    account.holdings.set(holding.taskId, holding);
    account.held = addResources(account.held, holding.resources);
    account.view = null;
    const owner = this.#owner(holding.ownerId);
    owner.held = addResources(owner.held, holding.resources);
    owner.tasks += 1;
  }

  /** Gives back what the task holds, if it is for `attempt` or an earlier one. */
  release(taskId: string, attempt: number): boolean {
    const holding = this.#holdings.get(taskId);
    if (!holding || holding.attempt > attempt) return false;
    this.#release(taskId);
    return true;
  }

  holding(taskId: string): Holding | null {
    return this.#holdings.get(taskId) ?? null;
  }

  holdings(): IterableIterator<Holding> {
    return this.#holdings.values();
  }

  holdingsOf(workerId: string): Holding[] {
    return [...(this.#accounts.get(workerId)?.holdings.values() ?? [])];
  }

  /** What tasks hold of the worker in all. */
  held(workerId: string): Resources {
    return this.#accounts.get(workerId)?.held ?? NO_RESOURCES;
  }

  /** Of all owners who have one. */
  setQuotas(quotas: ReadonlyMap<string, ResourceQuota>): void {
    this.#quotas = quotas;
    for (const id of quotas.keys()) this.#owner(id);
    for (const [id, owner] of this.#owners) {
      owner.quota = quotas.get(id) ?? null;
      if (owner.tasks === 0 && owner.quota === null) this.#owners.delete(id);
    }
  }

  /** Whoever holds something or has a quota. The map lives on: it shows every later change. */
  owners(): ReadonlyMap<string, OwnerView> {
    return this.#owners;
  }

  /** In order of id. */
  views(): WorkerView[] {
    return this.#ordered().map((account) => {
      if (account.view) return account.view;
      const worker = account.worker as Worker;
      account.view = {
        id: worker.id,
        ...standingOf({ ...worker, troubles: account.troubles }),
        capacity: worker.capacity,
        free: freeOf(worker.capacity, account.held),
        labels: placingLabels(worker),
        freeGpus: freeGpusOf(
          worker.gpuIds,
          worker.gpuIds.length === 0 ? [] : [...account.holdings.values()].flatMap(({ gpuIds }) => gpuIds),
        ),
      };
      return account.view;
    });
  }

  #ordered(): Account[] {
    this.#order ??= [...this.#accounts.values()]
      .filter(({ worker }) => worker !== null)
      .sort((a, b) => ((a.worker as Worker).id < (b.worker as Worker).id ? -1 : 1));
    return this.#order;
  }

  #account(workerId: string): Account {
    const known = this.#accounts.get(workerId);
    if (known) return known;
    const account: Account = {
      worker: null,
      troubles: NO_TROUBLES,
      held: NO_RESOURCES,
      holdings: new Map(),
      view: null,
    };
    this.#accounts.set(workerId, account);
    return account;
  }

  #owner(id: string): OwnerAccount {
    const known = this.#owners.get(id);
    if (known) return known;
    const owner: OwnerAccount = { held: NO_RESOURCES, tasks: 0, quota: this.#quotas.get(id) ?? null };
    this.#owners.set(id, owner);
    return owner;
  }

  #release(taskId: string): void {
    const holding = this.#holdings.get(taskId);
    if (!holding) return;
    this.#holdings.delete(taskId);
    const account = this.#account(holding.workerId);
    account.holdings.delete(taskId);
    account.held = subtractResources(account.held, holding.resources);
    account.view = null;
    if (!account.worker && account.holdings.size === 0) this.#accounts.delete(holding.workerId);
    const owner = this.#owner(holding.ownerId);
    owner.held = subtractResources(owner.held, holding.resources);
    owner.tasks -= 1;
    if (owner.tasks === 0 && owner.quota === null) this.#owners.delete(holding.ownerId);
  }
}
