// The cluster as the reasons of a wait look at it: workers, owners with their quotas, and for whom workers are kept.
// Pure, put together from records and from what the leader tells of itself; where that is not known it is left out.

import { addResources, NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import type { Reservation } from '../../shared/model/scheduling.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { HeardWorker } from '../../shared/model/worker.ts';
import { lesserOf, viewWorkers } from './fit.ts';
import type { Holding, OwnerView, WorkerView } from './snapshot.ts';

export interface OwnerScene extends OwnerView {
  /** How many of theirs hold something. */
  readonly tasks: number;
  /** In each dimension the least that one of them gives back when it ends. */
  readonly least: Resources;
}

export interface Scene {
  /** All of the cluster, in order of id. */
  readonly workers: readonly WorkerView[];
  /** By id; who holds nothing and has no quota is absent. */
  readonly owners: ReadonlyMap<string, OwnerScene>;
  /** By id of the worker that is kept free at present. */
  readonly kept: ReadonlyMap<string, Reservation>;
  /** By id of the worker how many tasks there have been told to leave it. */
  readonly leaving: ReadonlyMap<string, number>;
}

export interface Known {
  readonly workers: readonly HeardWorker[];
  /** What all assigned and running tasks hold. */
  readonly holdings: readonly Holding[];
  readonly quotas: ReadonlyMap<string, ResourceQuota>;
  readonly reservations: readonly Reservation[];
}

export function sceneOf({ workers, holdings, quotas, reservations }: Known, now: number): Scene {
  return {
    workers: viewWorkers(workers, holdings),
    owners: ownersOf(holdings, quotas),
    kept: keptOf(reservations, now),
    leaving: leavingOf(holdings),
  };
}

/** Those that are kept at this moment: what is remembered of a reservation that is over keeps nothing. */
export function keptOf(reservations: readonly Reservation[], now: number): ReadonlyMap<string, Reservation> {
  return new Map(reservations.filter(({ until }) => now < until).map((one) => [one.workerId, one]));
}

function ownersOf(
  holdings: readonly Holding[],
  quotas: ReadonlyMap<string, ResourceQuota>,
): ReadonlyMap<string, OwnerScene> {
  const owners = new Map<string, OwnerScene>();
  for (const [id, quota] of quotas)
    owners.set(id, { quota, held: NO_RESOURCES, tasks: 0, least: NO_RESOURCES });
  for (const { ownerId, resources } of holdings) {
    const known = owners.get(ownerId);
    owners.set(ownerId, {
      quota: known?.quota ?? null,
      held: addResources(known?.held ?? NO_RESOURCES, resources),
      tasks: (known?.tasks ?? 0) + 1,
      least: known && known.tasks > 0 ? lesserOf(known.least, resources) : resources,
    });
  }
  return owners;
}

function leavingOf(holdings: readonly Holding[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { workerId, isLeaving } of holdings) {
    if (isLeaving) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
  }
  return counts;
}
