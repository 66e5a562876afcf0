// What one pass of the plan looks at, put together from the index, the heartbeats, the accounts and the boards. It reads
// and never decides.

import type { PlanRules } from '../shared/model/scheduling.ts';
import type { ClusterIndex } from './cluster-index.ts';
import { PASS_LIMIT } from './core/plan.ts';
import type { PlanMemory, Snapshot, WorkerView } from './core/snapshot.ts';
import { ImagePlaces } from './image-places.ts';
import type { LoopParts } from './parts.ts';

export interface PictureParts extends Pick<LoopParts, 'store' | 'images' | 'log'> {
  readonly rules: PlanRules;
  readonly index: ClusterIndex;
  /** Workers that get nothing new for now, although they are up by their records. */
  readonly silent: () => ReadonlySet<string>;
  /** What is held of a worker and may be made to leave. */
  readonly holdingsOf: Snapshot['holdingsOf'];
}

export class Picture {
  readonly #parts: PictureParts;
  readonly #images: ImagePlaces;

  constructor(parts: PictureParts) {
    this.#parts = parts;
    this.#images = new ImagePlaces(parts);
  }

  start(): void {
    this.#images.start();
  }

  stop(): Promise<void> {
    return this.#images.stop();
  }

  /** What owners may hold; few accounts have a quota. Throws what the store throws: then those of before stay in force. */
  async readQuotas(): Promise<void> {
    const { store, index } = this.#parts;
    index.ledger.setQuotas(await store.users.resourceQuotas());
  }

  /** Valid until the next change of the index. */
  snapshot(memory: PlanMemory): Snapshot {
    const { index, rules } = this.#parts;
    const { backlog, ledger } = index;
    return {
      workers: this.#workers(),
      groups: backlog.groups(),
      owners: ledger.owners(),
      images: this.#images.places,
      holdingsOf: this.#parts.holdingsOf,
      rules,
      memory,
      limit: PASS_LIMIT,
    };
  }

  #workers(): WorkerView[] {
    const views = this.#parts.index.ledger.views();
    const silent = this.#parts.silent();
    if (silent.size === 0) return views;
    return views.map((view) => (silent.has(view.id) ? { ...view, state: 'down' } : view));
  }
}
