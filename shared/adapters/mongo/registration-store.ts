// Workers that were registered by hand, in MongoDB. Calls nobody; a registration changes by compare-and-set alone.

import type { Registration } from '../../model/registration.ts';
import type { RegistrationStore } from '../../ports/store.ts';
import type { Collections, RegistrationDocument } from './collections.ts';
import { guarded, upserting } from './errors.ts';

export class MongoRegistrationStore implements RegistrationStore {
  readonly #registrations: Collections['registrations'];

  constructor({ registrations }: Pick<Collections, 'registrations'>) {
    this.#registrations = registrations;
  }

  put(registration: Registration): Promise<void> {
    return upserting(async () => {
      const { _id, ...rest } = documentOf(registration);
      await this.#registrations.updateOne({ _id }, { $set: rest }, { upsert: true });
    });
  }

  get(id: string): Promise<Registration | null> {
    return guarded(async () => {
      const found = await this.#registrations.findOne({ _id: id });
      return found && registrationOf(found);
    });
  }

  list(): Promise<Registration[]> {
    return guarded(async () => {
      const found = await this.#registrations.find().sort({ _id: 1 }).toArray();
      return found.map(registrationOf);
    });
  }

  due(now: number, limit: number): Promise<Registration[]> {
    return guarded(async () => {
      const found = await this.#registrations
        .find({ nextAt: { $lte: now } })
        .sort({ nextAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(registrationOf);
    });
  }

  commit(next: Registration): Promise<boolean> {
    const { _id, ...rest } = documentOf(next);
    return guarded(async () => {
      const { matchedCount } = await this.#registrations.updateOne(
        { _id, wish: next.wish, revision: next.revision - 1 },
        { $set: rest },
      );
      return matchedCount === 1;
    });
  }

  remove(id: string, wish?: string): Promise<boolean> {
    const which = wish === undefined ? { _id: id } : { _id: id, wish };
    return guarded(async () => (await this.#registrations.deleteOne(which)).deletedCount === 1);
  }
}

function documentOf(registration: Registration): RegistrationDocument {
  const { id, wish, revision, nextAt } = registration;
  return { _id: id, wish, revision, nextAt, record: JSON.stringify(registration) };
}

function registrationOf({ record }: RegistrationDocument): Registration {
  return JSON.parse(record) as Registration;
}
