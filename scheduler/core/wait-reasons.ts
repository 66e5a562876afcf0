// Why a line waits that fits nowhere now, as a code. Pure. See wait-reason.ts for what people are told.

import { demandKey, type LabelDemand, meetsTerms } from '../../shared/model/labels.ts';
import { withoutMounts } from '../../shared/model/mounts.ts';
import type { FairShare } from './fair-share.ts';
import type { Floor } from './floor.ts';
import { Room } from './room.ts';
import type { Group, WaitReason, WorkerView } from './snapshot.ts';

export class WaitReasons {
  readonly #workers: readonly WorkerView[];
  readonly #floor: Floor;
  readonly #shares: FairShare;
  readonly #isElsewhere = new Map<string, boolean>();
  readonly #isForMounts = new Map<string, boolean>();
  #closed: readonly WorkerView[] | null = null;
  #byId: ReadonlyMap<string, WorkerView> | null = null;

  constructor(workers: readonly WorkerView[], floor: Floor, shares: FairShare) {
    this.#workers = workers;
    this.#floor = floor;
    this.#shares = shares;
  }

  of(group: Group): WaitReason {
    const { need, worker, ownerId } = group;
    const place = worker === null ? this.#anywhere(group) : this.#at(group, worker);
    if (place !== 'no_room') return place;
    if (!this.#shares.mayEverHave(ownerId, need)) return 'over_quota';
    return this.#shares.mayHave(ownerId, need) ? 'no_room' : 'quota_used';
  }

  #at({ need, labels }: Group, target: string): WaitReason {
    this.#byId ??= new Map(this.#workers.map((worker) => [worker.id, worker]));
    const worker = this.#byId.get(target);
    if (!worker) return 'worker_unknown';
    if (!meetsTerms(labels.constraints, worker.labels)) return missing(labels, [worker]);
    if (worker.state !== 'ready') return `worker_${worker.state}`;
    return new Room([worker.capacity]).fits(need, 0) ? 'no_room' : 'too_large';
  }

  #anywhere({ need, labels }: Group): WaitReason {
    const { whole, size } = this.#floor;
    const allowed = this.#floor.classOf(labels);
    if (size > 0) {
      const isAllowed = (index: number) => allowed === null || allowed.level(index) > 0;
      if (whole.find(need, 0, size, isAllowed, allowed?.closed ?? null) !== -1) return 'no_room';
    }
    if (!allowed) return size === 0 ? 'no_ready_worker' : 'too_large';
    if (allowed.isMet) return 'too_large';
    if (this.#isMetElsewhere(labels)) return 'no_ready_match';
    if (this.#workers.length === 0) return 'no_ready_worker';
    return this.#isForMountsAlone(labels) ? 'mounts_missing' : 'labels_missing';
  }

  /** Looked up once for all lines that demand the same. */
  #isForMountsAlone(labels: LabelDemand): boolean {
    const key = demandKey(labels);
    const known = this.#isForMounts.get(key);
    if (known !== undefined) return known;
    const found = missing(labels, this.#workers) === 'mounts_missing';
    this.#isForMounts.set(key, found);
    return found;
  }

  /** Whether a worker that is not ready has the labels. Looked up once for all lines that demand them. */
  #isMetElsewhere(labels: LabelDemand): boolean {
    const key = demandKey(labels);
    const known = this.#isElsewhere.get(key);
    if (known !== undefined) return known;
    this.#closed ??= this.#workers.filter(({ state }) => state !== 'ready');
    const found = this.#closed.some((worker) => meetsTerms(labels.constraints, worker.labels));
    this.#isElsewhere.set(key, found);
    return found;
  }
}

/** What none of these workers has: labels, or all that is left beside them. */
export function missing(
  { constraints }: Pick<LabelDemand, 'constraints'>,
  workers: readonly Pick<WorkerView, 'labels'>[],
): 'labels_missing' | 'mounts_missing' {
  const plain = withoutMounts(constraints);
  if (plain === constraints) return 'labels_missing';
  return workers.some(({ labels }) => meetsTerms(plain, labels)) ? 'mounts_missing' : 'labels_missing';
}
