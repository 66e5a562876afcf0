// Parts of the outside world that a test takes away, in front of the real thing: every call fails as an adapter says it
// must, or never comes back.

import { AppError } from '../../shared/errors.ts';

export interface Away {
  /** Null: it is there. */
  how: 'fails' | 'hangs' | null;
}

/** What an adapter's own words may hold and no caller may read. */
export const INSIDE = '/srv/inside/cloudai.db';

/** `part` and the parts that it is made of, which do as `away` says from call to call. */
export function mayBeAway<T extends object>(part: T, away: Away): T {
  const parts = new Map<unknown, unknown>();
  return new Proxy(part, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (typeof member === 'object' && member !== null) {
        if (!parts.has(member)) parts.set(member, mayBeAway(member, away));
        return parts.get(member);
      }
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (away.how === null) return member.apply(target, args);
        if (away.how === 'hangs') return new Promise(() => undefined);
        const message = `the database ${INSIDE} cannot be used: disk I/O error (SQLITE_IOERR)`;
        return Promise.reject(new AppError('store_unavailable', message, { retryable: true }));
      };
    },
  });
}
