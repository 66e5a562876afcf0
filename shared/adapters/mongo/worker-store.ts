// Workers in MongoDB. The registration is the runner's, maintenance the admin's, liveness the leader's: no write
// touches a field of another.

import type { Liveness, Maintenance, Worker, WorkerRegistration } from '../../model/worker.ts';
import type { WorkerStore } from '../../ports/store.ts';
import type { Collections, WorkerDocument } from './collections.ts';
import { guarded, unavailable, upserting } from './errors.ts';

export class MongoWorkerStore implements WorkerStore {
  readonly #workers: Collections['workers'];

  constructor({ workers }: Pick<Collections, 'workers'>) {
    this.#workers = workers;
  }

  register(registration: WorkerRegistration): Promise<Worker> {
    return upserting(async () => {
      const written = await this.#workers.findOneAndUpdate(
        { _id: registration.id },
        {
          $set: { registration: JSON.stringify(registration) },
          $setOnInsert: { maintenance: 'none', liveness: 'up', livenessAt: registration.registeredAt },
        },
        { upsert: true, returnDocument: 'after' },
      );
      if (written === null) throw unavailable('a worker was not registered');
      return workerOf(written);
    });
  }

  get(id: string): Promise<Worker | null> {
    return guarded(async () => {
      const found = await this.#workers.findOne({ _id: id });
      return found && workerOf(found);
    });
  }

  list(): Promise<Worker[]> {
    return guarded(async () => (await this.#workers.find().sort({ _id: 1 }).toArray()).map(workerOf));
  }

  setMaintenance(
    id: string,
    maintenance: Maintenance,
    drainUntil: number | null = null,
  ): Promise<Worker | null> {
    return this.#set(id, { maintenance, drainUntil: maintenance === 'draining' ? drainUntil : null });
  }

  setLiveness(id: string, liveness: Liveness, at: number): Promise<Worker | null> {
    return this.#set(id, { liveness, livenessAt: at });
  }

  remove(id: string): Promise<boolean> {
    return guarded(async () => (await this.#workers.deleteOne({ _id: id })).deletedCount === 1);
  }

  #set(id: string, change: Partial<WorkerDocument>): Promise<Worker | null> {
    return guarded(async () => {
      const written = await this.#workers.findOneAndUpdate(
        { _id: id },
        { $set: change },
        { returnDocument: 'after' },
      );
      return written && workerOf(written);
    });
  }
}

function workerOf(doc: WorkerDocument): Worker {
  return {
    ...(JSON.parse(doc.registration) as WorkerRegistration),
    maintenance: doc.maintenance,
    drainUntil: doc.drainUntil ?? null,
    liveness: doc.liveness,
    livenessAt: doc.livenessAt,
  };
}
