// Inserting what is not there yet, in one command. It must never change a document that is there.

import { type Collection, MongoBulkWriteError, type OptionalUnlessRequiredId } from 'mongodb';
import { isDuplicate } from './errors.ts';

/** Returns those that were not inserted because another holds one of their unique keys. */
export async function insertNew<T extends { _id: string }>(
  collection: Collection<T>,
  documents: readonly T[],
): Promise<T[]> {
  if (documents.length === 0) return [];
  try {
    await collection.insertMany(documents as OptionalUnlessRequiredId<T>[], { ordered: false });
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || !isDuplicate(error)) throw error;
    const faults = [error.writeErrors].flat();
    if (faults.some(({ code }) => code !== error.code)) throw error;
    const taken = new Set(faults.map(({ index }) => index));
    return documents.filter((_, index) => taken.has(index));
  }
}
