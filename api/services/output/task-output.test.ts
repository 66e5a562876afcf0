import { describe, expect, it } from 'vitest';
import { makeTask } from '../../../test/support/tasks.ts';
import { type OutputParts, TaskOutput } from './task-output.ts';

const task = makeTask();
const parts = {
  records: { get: async () => task },
  logs: { position: async () => ({ lastSeq: 0, stdoutLines: 0, stderrLines: 0 }) },
} as unknown as OutputParts;
const by = (userId: string) => ({ userId, username: userId, role: 'user' }) as const;

describe('open readings of one user', () => {
  it('are bounded, whether they follow or not, and make room when they end', async () => {
    const output = new TaskOutput(parts);
    const ends: AbortController[] = [];
    const open = async (userId: string, follow: boolean) => {
      const end = new AbortController();
      await output.open(by(userId), task.id, { follow, signal: end.signal });
      ends.push(end);
    };
    for (let n = 0; n < 100; n += 1) await open('alice', n % 2 === 0);
    for (const follow of [true, false]) {
      await expect(open('alice', follow)).rejects.toMatchObject({ code: 'rate_limited' });
    }
    await open('bob', false);
    ends[0]?.abort();
    await open('alice', false);
  });
});
