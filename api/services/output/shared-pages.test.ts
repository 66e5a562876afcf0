import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../shared/model/log-line.ts';
import { SharedPages } from './shared-pages.ts';

const lineOf = (seq: number): LogLine => ({ seq, ts: 0, stream: 'stdout', line: 'x'.repeat(36) });

/** A store of one attempt that answers when it is told to. */
function stage(lines: number, keptChars?: number) {
  const reads: { from: number; answer: () => void }[] = [];
  const store = {
    last: lines,
    read: (_task: string, _attempt: number, from: number, limit: number) =>
      new Promise<LogLine[]>((done) => {
        const there = Math.max(0, Math.min(limit, store.last - from + 1));
        const found = Array.from({ length: there }, (_, n) => lineOf(from + n));
        reads.push({ from, answer: () => done(found) });
      }),
  };
  const pages = new SharedPages(store, keptChars === undefined ? {} : { keptChars });
  const ask = (from: number, limit = 10) => pages.read('task-a', 1, from, limit);
  return { store, reads, ask };
}

const settled = () => new Promise<void>((done) => setImmediate(done));

describe('pages of the log store', () => {
  it('are read and made once for all who ask for the same place', async () => {
    const { reads, ask } = stage(100);
    const asked = [ask(1), ask(1, 20), ask(1)];
    reads[0]?.answer();
    const [first, ...others] = await Promise.all(asked);
    expect(first).toMatchObject({ firstSeq: 1, lastSeq: 10 });
    for (const page of others) expect(page).toBe(first);
    expect(await ask(1)).toBe(first);
    expect(reads).toHaveLength(1);
    void ask(11);
    expect(reads.map(({ from }) => from)).toEqual([1, 11]);
  });

  it('that are not there are looked for by whoever asks after the last look began', async () => {
    const { store, reads, ask } = stage(0);
    const early = ask(1);
    store.last = 3;
    const late = [ask(1), ask(1)];
    reads[0]?.answer();
    expect(await early).toBeNull();
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer();
    for (const page of await Promise.all(late)) expect(page).toMatchObject({ firstSeq: 1, lastSeq: 3 });
  });

  it('are forgotten, the oldest first, when there is too much', async () => {
    const { reads, ask } = stage(100, 2_500);
    for (const from of [1, 11, 21]) {
      const page = ask(from);
      reads.at(-1)?.answer();
      await page;
    }
    await ask(11);
    await ask(21);
    expect(reads).toHaveLength(3);
    void ask(1);
    expect(reads).toHaveLength(4);
  });

  it('fail for all who asked together, and are read anew by the next', async () => {
    let calls = 0;
    const pages = new SharedPages({
      read: async () => {
        calls += 1;
        if (calls === 1) throw new Error('away');
        return [lineOf(1)];
      },
    });
    const asked = [pages.read('task-a', 1, 1, 10), pages.read('task-a', 1, 1, 10)];
    for (const one of asked) await expect(one).rejects.toThrow('away');
    expect(await pages.read('task-a', 1, 1, 10)).toMatchObject({ firstSeq: 1 });
  });
});
