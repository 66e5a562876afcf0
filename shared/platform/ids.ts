// Ids of records. Task ids grow with time, so that order of id is order of submission.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { encodeTime, monotonicFactory } from 'ulid';

/** A draw of random bytes at a time: one system call per character would be a tenth of the cost of a submission. */
function pooledRandom(): () => number {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at >= pool.length) {
      pool = randomBytes(4_096);
      at = 0;
    }
    const byte = pool[at] as number;
    at += 1;
    return byte / 256;
  };
}

const nextUlid = monotonicFactory(pooledRandom());

/**
 * `task-` and a lower-case ULID: sortable, no `:`, never an integer (what BullMQ asks of job ids).
 *
 * @param now by the cluster's clock, so that ids made by several processes are in order too
 */
export function newTaskId(now = Date.now()): string {
  return `task-${nextUlid(now).toLowerCase()}`;
}

/** Of the record of who did what; in order of time, as task ids are. */
export function newAuditId(now: number): string {
  return `audit-${nextUlid(now).toLowerCase()}`;
}

/** No entry of this time or later has a smaller id, none of before a larger one. */
export function auditIdFloor(at: number): string {
  return `audit-${encodeTime(Math.min(Math.max(0, Math.trunc(at)), MAX_ULID_TIME)).toLowerCase()}`;
}

/** Of 48 bits. */
const MAX_ULID_TIME = 2 ** 48 - 1;

export type IdPrefix =
  | 'user'
  | 'token'
  | 'file'
  | 'upload'
  | 'part'
  | 'webhook'
  | 'wish'
  | 'run'
  | 'sched'
  | 'req';

export function newId(prefix: IdPrefix): string {
  return `${prefix}-${randomBytes(10).toString('hex')}`;
}

/** Tells processes of one kind apart, for people. */
export function instanceName(): string {
  return `${hostname()}-${process.pid}`;
}
