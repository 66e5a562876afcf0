// Ids of records. Task ids grow with time, so that order of id is order of submission.

import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';

const nextUlid = monotonicFactory();

/** `task-` and a lower-case ULID: sortable, no `:`, never an integer (what BullMQ asks of job ids). */
export function newTaskId(): string {
  return `task-${nextUlid().toLowerCase()}`;
}

export type IdPrefix = 'user' | 'token' | 'file' | 'run' | 'sched' | 'req';

export function newId(prefix: IdPrefix): string {
  return `${prefix}-${randomBytes(10).toString('hex')}`;
}
