import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NO_QUOTA, newUser, type Quota } from '../../shared/model/user.ts';
import { Quotas } from './quotas.ts';

const MB = 2 ** 20;

/** A store that takes its time, so that steps which do not wait for each other see the same figures. */
function stage(quota: Quota) {
  const state = { bytes: 0, unfinished: 0 };
  const bare = newUser({ id: 'user-1', username: 'amy', passwordHash: '', role: 'user', createdAt: 0 });
  const quotas = new Quotas({
    known: { get: async () => ({ ...bare, quota }) },
    files: {
      uploadBytes: async () => {
        const kept = new Map([['user-1', state.bytes]]);
        await delay(1);
        return kept;
      },
      find: async () => null,
    },
    uploads: { listOpen: async () => [] },
    clock: { now: () => 0, monotonic: () => 0 },
  });
  const keep = (path: string) =>
    quotas.keep({ ownerId: 'user-1', path, sizeBytes: MB }, async () => {
      await delay(1);
      state.bytes += MB;
    });
  /** As a store without transactions inserts: it counts, then it writes. */
  const insert = () =>
    quotas.submit('user-1', async (max) => {
      const { unfinished } = state;
      await delay(1);
      if (max !== undefined && unfinished + 1 > max) return 'over_limit';
      state.unfinished = unfinished + 1;
      return 'inserted';
    });
  return { state, keep, insert };
}

describe('of one owner', () => {
  it('one upload after the other takes its place, and one that is refused holds up none', async () => {
    const { state, keep } = stage({ ...NO_QUOTA, uploadStorageMb: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => keep(`f${n}`)));
    expect(outcomes.map(({ status }) => status).filter((status) => status === 'fulfilled')).toHaveLength(3);
    expect(outcomes[9]).toMatchObject({ reason: { code: 'quota_exceeded' } });
    expect(state.bytes).toBe(3 * MB);
  });

  it('one submission goes after the other', async () => {
    const { state, insert } = stage({ ...NO_QUOTA, unfinishedTasks: 4 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, insert));
    expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(4);
    expect(state.unfinished).toBe(4);
  });

  it('only so many may wait', async () => {
    const { insert } = stage({ ...NO_QUOTA, unfinishedTasks: 4 });
    const outcomes = await Promise.allSettled(Array.from({ length: 1_010 }, insert));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(10);
    expect(refused[0]).toMatchObject({ reason: { code: 'rate_limited', retryAfterSeconds: 2 } });
  });
});
