// How an account stands in its document. The revision is a field of its own, so that it can be raised without knowing the
// rest.

import type { Filter } from 'mongodb';
import { knownUser, type User } from '../../model/user.ts';
import type { UserDocument } from './collections.ts';

export function userOf({ record, revision }: Pick<UserDocument, 'record' | 'revision'>): User {
  return { ...knownUser(JSON.parse(record) as Partial<User>), revision: revision ?? 0 };
}

/** Documents of earlier releases have no revision. */
export function atRevision(revision: number): Filter<UserDocument> {
  return revision === 0 ? { $or: [{ revision: 0 }, { revision: { $exists: false } }] } : { revision };
}
