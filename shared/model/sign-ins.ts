// Sign-ins of an account that were ended one by one. They are kept in its record for as long as their tokens would have been
// good, so that every process that knows the account knows them. Pure.

import type { User } from './user.ts';

export interface EndedSignIn {
  readonly id: string;
  /** When its token expires, milliseconds since the epoch: from then on it need not be remembered. */
  readonly until: number;
}

/** Some kilobytes of a record that every request looks at. */
export const MOST_ENDED = 100;

export function isEnded({ endedSignIns }: Pick<User, 'endedSignIns'>, id: string): boolean {
  return endedSignIns.some((ended) => ended.id === id);
}

/** Ends all of them. */
export function signedOut(user: User): User {
  return { ...user, signInEpoch: user.signInEpoch + 1, endedSignIns: [] };
}

/** Ends this one; all of them when more were ended of late than are remembered, for none may come to life again. */
export function signedOutOf(user: User, ended: EndedSignIn, now: number): User {
  if (isEnded(user, ended.id)) return user;
  const endedSignIns = [...user.endedSignIns.filter(({ until }) => until > now), ended];
  return endedSignIns.length > MOST_ENDED ? signedOut(user) : { ...user, endedSignIns };
}
